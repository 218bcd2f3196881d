"""What is true now: the ledger in memory, and every group's policy.

The ledger is one frozen value, swapped whole: who judges takes it once and cannot see half
of a change. It is swapped on the writer's thread after the commit that changed it, so that
no verdict rests on a reading that a crash could take back.
"""

from collections.abc import Mapping

from server.policy import GroupPolicy
from server.releases.ledger import Ledger


class Current:
    """The public truth and the expectations that verdicts are made by.

    Args:
        ledger: As loaded from the database.
        policies: By group; every other group has the default policy.

    Attributes:
        ledger: The newest one; assign a new value to swap it.
    """

    def __init__(self, ledger: Ledger, policies: Mapping[str, GroupPolicy] | None = None) -> None:
        self.ledger = ledger
        self._policies = dict(policies or {})
        self._default = GroupPolicy()

    def policy(self, group: str) -> GroupPolicy:
        """What a group is expected to run."""
        return self._policies.get(group, self._default)
