"""Whether the database holds what was acknowledged, once. Claims and rows in, findings out.

Three proofs, none of which takes the server's word:

* Each machine's row against what its laptop was acknowledged (`judge`). Numbers grow by one and
  one check-in is under way at a time, so the row holds the last acknowledged number, or the one
  that is still without an answer: less is lost, more was never said.
* The sums of use. Each count that was told is one start: the sums lie between what was
  acknowledged and that with what was given up without an answer. Less is lost, more is doubled.
* A laptop takes the release once: no machine has it in its timeline twice.

An identity that exists twice is another's words mixed with one's own: of it the numbers are
compared only while the epoch is the laptop's, and what counts is that the server noticed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, func, select

from server.store.tables import activity, assignments, machines, presence
from tests.benchmarks.fleets import EPOCH, NUMBER_OF_LABEL
from tests.benchmarks.simulator.laptop import Claim
from tests.benchmarks.simulator.machines import Fleet

Fault = Literal["lost", "doubled"]

EXAMPLES_MAX = 10
"""Most faults that are told one by one."""

_ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds of a machine.

    Attributes:
        epoch: The last that was accepted.
        past_epochs: Those before it that are remembered.
        seq: The last number in `epoch`.
        claimed: The digest of the profile that it named last.
        alternations: How often a past epoch spoke again.
    """

    epoch: str
    past_epochs: frozenset[str]
    seq: int
    claimed: str
    alternations: int = 0


@dataclass
class Findings:
    """What an audit found.

    Attributes:
        machines: How many were compared.
        faults: Of rows, by kind.
        examples: Some of these, in words.
        uses: Counts of use in the database.
        uses_acked: Those that were acknowledged.
        uses_uncertain: Those that were given up without an answer.
        repeated_changes: Machines that have a profile more than once in their timeline.
        clones: Identities that existed twice.
        clones_noticed: Those of them that the server noticed.
    """

    machines: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    uses: int = 0
    uses_acked: int = 0
    uses_uncertain: int = 0
    repeated_changes: int = 0
    clones: int = 0
    clones_noticed: int = 0

    @property
    def lost(self) -> int:
        """Acknowledged check-ins that are not in the database."""
        return self.faults["lost"] + max(0, self.uses_acked - self.uses)

    @property
    def doubled(self) -> int:
        """What is in the database more often than it was said."""
        more = max(0, self.uses - self.uses_acked - self.uses_uncertain)
        return self.faults["doubled"] + more + self.repeated_changes


def judge(claim: Claim, kept: Kept) -> Fault | None:
    """What is wrong with a machine's row, by the word of its one laptop. Pure."""
    if kept.epoch not in {claim.epoch, claim.acked_epoch}:
        # Nobody ever spoke in that epoch, or what was acknowledged in a later one is gone.
        return "lost" if kept.epoch == EPOCH else "doubled"
    if claim.acked and claim.acked_epoch not in {kept.epoch, *kept.past_epochs}:
        return "lost"
    if claim.acked and claim.acked_epoch == kept.epoch and kept.seq < claim.acked:
        return "lost"
    if claim.epoch == kept.epoch and kept.seq > claim.seq:
        return "doubled"
    return "lost" if claim.profile not in {None, kept.claimed} else None


def judge_copy(claim: Claim, kept: Kept) -> Fault | None:
    """The same for one of two laptops with one identity. Pure."""
    is_its_own = claim.acked and claim.acked_epoch == kept.epoch
    return "lost" if is_its_own and kept.seq < claim.acked else None


def compare(fleet: Fleet, rows: Iterable[tuple[int, Kept]], found: Findings) -> None:
    """Compares every machine's row; adds to what was found.

    Args:
        fleet: All laptops, at the end of their run.
        rows: Of every machine, with its number.
        found: Is added to.
    """
    copies = {number: fleet.machines + at for at, number in enumerate(fleet.clones)}
    for number, kept in rows:
        found.machines += 1
        if number not in copies:
            _note(found, number, judge(fleet.claim(number), kept), kept)
            continue
        found.clones_noticed += kept.alternations > 0
        for index in (number, copies[number]):
            _note(found, number, judge_copy(fleet.claim(index), kept), kept)
    missing = fleet.machines - found.machines
    if missing:
        found.faults["lost"] += missing
        found.examples.append(f"{missing} machines are not in the database")


def audit(conn: Connection, fleet: Fleet) -> Findings:
    """Holds a database against all laptops of a run that is over."""
    uses = fleet.uses
    found = Findings(uses_acked=uses.acked, uses_uncertain=uses.uncertain, clones=len(fleet.clones))
    compare(fleet, _rows(conn), found)
    sums = select(func.coalesce(func.sum(activity.c.starts), 0))
    found.uses = int(conn.execute(sums).scalar_one())
    found.repeated_changes = _repeated_changes(conn, fleet)
    return found


def told(found: Findings) -> Mapping[str, int | Sequence[str]]:
    """What was found, for the report."""
    return {
        "lost": found.lost,
        "doubled": found.doubled,
        "machines compared": found.machines,
        "uses acknowledged": found.uses_acked,
        "uses without an answer": found.uses_uncertain,
        "uses in the database": found.uses,
        "profiles taken twice": found.repeated_changes,
        "clones": found.clones,
        "clones noticed": found.clones_noticed,
        "examples": found.examples,
    }


def _note(found: Findings, number: int, fault: Fault | None, kept: Kept) -> None:
    if fault is None:
        return
    found.faults[fault] += 1
    if len(found.examples) < EXAMPLES_MAX:
        found.examples.append(f"{fault}: machine {number} is kept as {kept}")


def _rows(conn: Connection) -> Iterator[tuple[int, Kept]]:
    query = select(
        machines.c.label,
        machines.c.epoch,
        machines.c.past_epochs,
        presence.c.seq,
        machines.c.claimed,
        machines.c.alternations,
    ).join_from(machines, presence, presence.c.machine_id == machines.c.id)
    streamed = conn.execution_options(yield_per=_ROWS_AT_A_TIME).execute(query)
    for label, epoch, past, seq, claimed, alternations in streamed:
        kept = Kept(epoch, frozenset(past.split()), seq, claimed, len(alternations.split()))
        yield int(label[NUMBER_OF_LABEL]), kept


def _repeated_changes(conn: Connection, fleet: Fleet) -> int:
    pair = (assignments.c.machine_id, assignments.c.profile_id)
    twice = select(assignments.c.machine_id).group_by(*pair).having(func.count() > 1).subquery()
    query = select(machines.c.label).where(machines.c.id.in_(select(twice.c.machine_id)))
    labels = conn.execute(query).scalars()
    return sum(not fleet.is_copied(int(label[NUMBER_OF_LABEL])) for label in labels)
