"""What a group of machines is expected to run. Pure.

Every group has the default policy until an operator says otherwise: what the public
gets (``latest``), within a day, with no behaviour overrides.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

DEFAULT_GROUP = "default"


@dataclass(frozen=True)
class GroupPolicy:
    """The expectations of one group.

    Attributes:
        channel: The public pointer to follow.
        grace_s: How long a replaced build is `pending` before it is `drift`, in seconds.
        head_max_age_s: How old the last reading of a head may be before being behind can
            no longer be decided, in seconds.
        silent_after_s: How long a machine may say nothing before it is `silent`, in seconds.
        allowed_overrides: Shell-style patterns of keys that may differ.
    """

    channel: str = "latest"
    grace_s: int = 24 * 3600
    head_max_age_s: int = 6 * 3600
    silent_after_s: int = 72 * 3600
    allowed_overrides: tuple[str, ...] = ()

    def allows(self, key: str) -> bool:
        """Whether an override of this key is allowed."""
        return any(fnmatchcase(key, pattern) for pattern in self.allowed_overrides)
