"""What other policies would change before they are in force. Pure.

Everybody is judged twice at the same moment by the same public truth: by what is in force and
by what would be. A pair of profile and group is judged once for all of its machines; a machine
of which something is true alone is stood by itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from agent.wire import Answer, Profile, Standing
from server.current import Current
from server.judge import Verdict, judge
from server.machine_facts import MachineFacts
from server.standing import stand

LABELS_MAX = 20
"""Most machines named of one change, unless all are asked for."""

Verdicts = tuple[Verdict | None, Verdict | None]
"""On one profile: by what is in force, and by what would be; None where there is no profile."""


@dataclass(frozen=True)
class Twice:
    """The two sets of policies, at one moment.

    Attributes:
        before: The public truth with what is in force.
        after: The same with what would be.
        now: The moment, in whole seconds since the epoch.
    """

    before: Current
    after: Current
    now: int

    def differs(self, group: str) -> bool:
        """Whether anything in this group could change."""
        return self.before.policy(group) != self.after.policy(group)

    def verdicts(self, profile: Profile | None, group: str) -> Verdicts:
        """Both verdicts on a profile."""
        if profile is None:
            return None, None
        return (
            judge(profile, self.before.policy(group), self.before.ledger, self.now),
            judge(profile, self.after.policy(group), self.after.ledger, self.now),
        )

    def stands(
        self, verdicts: Verdicts, facts: tuple[MachineFacts, MachineFacts], group: str
    ) -> tuple[Standing, Standing]:
        """How one machine stands, by both.

        Args:
            verdicts: On its profile.
            facts: What is true of it only; the heads that its copies follow may differ.
            group: Its group.
        """
        policies = self.before.policy(group), self.after.policy(group)
        old, new = (
            stand(verdict, each, policy, self.now).standing
            for verdict, each, policy in zip(verdicts, facts, policies, strict=True)
        )
        return old, new


@dataclass(frozen=True)
class Move:
    """Machines that would stand otherwise for one reason.

    Attributes:
        group: Their group.
        before: How they stand.
        after: How they would.
        machines: How many.
        labels: The names of some or all of them.
    """

    group: str
    before: Standing
    after: Standing
    machines: int
    labels: tuple[str, ...]


class Change(Answer, frozen=True):
    """Machines of a group that would change from one standing to another.

    Attributes:
        group: Their group.
        before: How they stand.
        after: How they would.
        machines: How many.
        labels: The names of some or all of them, sorted.
    """

    group: str
    before: Standing
    after: Standing
    machines: int
    labels: tuple[str, ...]


def changes(moves: Iterable[Move], labels_max: int | None = LABELS_MAX) -> tuple[Change, ...]:
    """Moves added up, by group, the most machines first.

    Args:
        moves: Those that change nothing are left out.
        labels_max: Most machines named of one change; None names all that the moves do.
    """
    counted: dict[tuple[str, Standing, Standing], int] = defaultdict(int)
    named: dict[tuple[str, Standing, Standing], list[str]] = defaultdict(list)
    for move in moves:
        if move.before != move.after and move.machines:
            key = move.group, move.before, move.after
            counted[key] += move.machines
            named[key] += move.labels
            if labels_max is not None:
                named[key] = sorted(named[key])[:labels_max]
    order = sorted(counted, key=lambda key: (key[0], -counted[key], key[1:]))
    return tuple(Change(*key, counted[key], tuple(sorted(named[key]))) for key in order)
