"""What a group of machines is expected to run. Pure.

Every group has the default policy until the operator's policy file says otherwise: what the
public gets (``latest``), within a day, with no behaviour overrides. `server.policy_file` reads
that file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal, get_args

from agent.wire import OverrideKind
from server.reference import DEFAULTS_ONLY, Reference

DEFAULT_GROUP = "default"

Surface = Literal["terminal", "editor", "desktop", "sdk"]
Lane = Literal["public", "ahead"]

SURFACES: tuple[Surface, ...] = get_args(Surface)
"""Everything that can start a copy of Claude Code, as a policy names it."""

MACHINE = "machine"
"""The channel of a policy that leaves it to each laptop which channel it follows."""

_SURFACE_OF_START: Mapping[str, Surface] = MappingProxyType(
    {"login-shell": "terminal", **{name: name for name in SURFACES}}
)


@dataclass(frozen=True)
class GroupPolicy:
    """The expectations of one group.

    Attributes:
        channel: The public pointer to follow; `MACHINE` is the one that a laptop itself does.
        grace_s: How long a replaced build is `pending` before it is `drift`, in seconds.
        head_max_age_s: How old the last reading of a head may be before being behind can
            no longer be decided, in seconds.
        silent_after_s: How long a machine may say nothing before it is `silent`, in seconds.
        enrolled_grace_s: How long after its enrolment a machine's drift is only `pending`,
            in seconds.
        editor_tolerance_s: Grace of copies that only an editor starts, in seconds.
        desktop_tolerance_s: The same for the desktop app.
        sdk_tolerance_s: The same for Agent SDKs.
        surfaces: Those whose copies count.
        allowed_overrides: Shell-style patterns of what may differ, as `written` names it.
        lane: ``ahead`` permits builds that users do not have yet: they are `exempt`.
        trust_learned: Bytes that only a reference machine vouches for count as public.
        target_share: The share of matching machines to reach, from 0 to 1; None sets none.
        reference: What users run besides the default.
    """

    channel: str = "latest"
    grace_s: int = 24 * 3600
    head_max_age_s: int = 6 * 3600
    silent_after_s: int = 72 * 3600
    enrolled_grace_s: int = 0
    editor_tolerance_s: int = 72 * 3600
    desktop_tolerance_s: int = 14 * 86_400
    sdk_tolerance_s: int = 30 * 86_400
    surfaces: frozenset[Surface] = frozenset(SURFACES)
    allowed_overrides: tuple[str, ...] = ()
    lane: Lane = "public"
    trust_learned: bool = False
    target_share: float | None = None
    reference: Reference = DEFAULTS_ONLY

    def allows(self, kind: OverrideKind, key: str) -> bool:
        """Whether an override of this key is allowed."""
        name = written(kind, key)
        return any(fnmatchcase(name, pattern) for pattern in self.allowed_overrides)

    def counts(self, start: str) -> bool:
        """Whether a copy counts because of this start; one of an unknown kind always does."""
        surface = surface_of(start)
        return surface is None or surface in self.surfaces

    def tolerance_s(self, surface: Surface) -> int:
        """How long a copy that only this surface starts may lag, in seconds."""
        tolerances: Mapping[Surface, int] = {
            "terminal": self.grace_s,
            "editor": self.editor_tolerance_s,
            "desktop": self.desktop_tolerance_s,
            "sdk": self.sdk_tolerance_s,
        }
        return tolerances[surface]


@dataclass(frozen=True)
class Policies:
    """The policy of every group.

    Attributes:
        default: Of every group that has none of its own.
        groups: By group.
    """

    default: GroupPolicy = GroupPolicy()
    groups: Mapping[str, GroupPolicy] = field(default_factory=dict)

    def of(self, group: str, references: Mapping[str, Reference] | None = None) -> GroupPolicy:
        """The policy of one group, with what its reference machines show.

        Args:
            group: Its name.
            references: By group.
        """
        policy = self.groups.get(group, self.default)
        reference = (references or {}).get(group)
        return replace(policy, reference=reference) if reference else policy


def written(kind: OverrideKind, key: str) -> str:
    """The name of what is overridden as people write it: a flag with its dashes.

    So a setting and a flag of one name are told apart, in sentences and in a policy.
    """
    return f"--{key}" if kind == "flag" else key


def surface_of(start: str) -> Surface | None:
    """The surface that a start of a copy belongs to; None for one not known here."""
    return _SURFACE_OF_START.get(start)
