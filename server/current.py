"""What is true now: the ledger in memory, every group's policy, what its references show.

Each of the three is one frozen value, swapped whole: who judges takes it once and cannot see
half of a change. They are swapped on the writer's thread after the commit that changed them,
so that no verdict rests on a reading that a crash could take back; `changes` then differs.
"""

from collections.abc import Mapping, Sequence

from server.policy import GroupPolicy, Policies
from server.reference import Reference
from server.releases.ledger import Ledger
from server.uptime import Span


class Current:
    """The public truth and the expectations that verdicts are made by.

    Args:
        ledger: As loaded from the database.
        policies: As loaded from the operator's file; without one, the default everywhere.
        references: By group.
        listened: When this server listened: no verdict rests on it, but silence does.
        restored_at: When the database was put back from a backup last; 0 if it never was.

    Attributes:
        listened: The same; assign a new value to swap it.
        restored_at: The same; it happens to a server that is stopped.
    """

    def __init__(
        self,
        ledger: Ledger,
        policies: Policies | None = None,
        references: Mapping[str, Reference] | None = None,
        listened: Sequence[Span] = (),
        restored_at: int = 0,
    ) -> None:
        self.listened = listened
        self.restored_at = restored_at
        self._ledger = ledger
        self._policies = policies or Policies()
        self._references = dict(references or {})
        self._composed: dict[str, GroupPolicy] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """How often anything was swapped: what was judged under another number may not hold."""
        return self._changes

    @property
    def ledger(self) -> Ledger:
        """What was public, and when; assign a new value to swap it."""
        return self._ledger

    @ledger.setter
    def ledger(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._changes += 1

    @property
    def policies(self) -> Policies:
        """The operator's policies; assign a new value to swap them."""
        return self._policies

    @policies.setter
    def policies(self, policies: Policies) -> None:
        self._policies = policies
        self._composed = {}
        self._changes += 1

    @property
    def references(self) -> Mapping[str, Reference]:
        """What the reference machines of each group show; assign a new value to swap it."""
        return self._references

    @references.setter
    def references(self, references: Mapping[str, Reference]) -> None:
        self._references = dict(references)
        self._composed = {}
        self._changes += 1

    def policy(self, group: str) -> GroupPolicy:
        """What a group is expected to run."""
        # Taken once: a swap meanwhile begins another one, and nothing old gets into that.
        composed = self._composed
        if group not in composed:
            composed[group] = self._policies.of(group, self._references)
        return composed[group]
