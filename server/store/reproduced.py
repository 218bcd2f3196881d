"""Whether what is stored is what the judge says: verdicts and standings made anew.

A verdict is a function of its profile and of what is public and expected, which all stand in
the database; so is a machine's standing, with its own facts. A stored one that differs from
what `server.judge` and `server.standing` say of the same values now, and whose time to be
looked at has not come, rests on a mistake, or on a change that is being worked in right now.

Cost is bounded: the verdicts that hold for most machines are judged, and machines in the
order of their ids, which are random.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, FromClause, func, or_, select

from server.current import Current
from server.standing import stand
from server.store.facts import facts_of
from server.store.machines import MACHINES, Machine, machine_of
from server.store.stands import dated_for, tag_of_findings
from server.store.tables import machines, profiles, verdicts
from server.store.verdicts import Held, held, held_of, judged

SAMPLE_MAX = 1_000
"""Most verdicts, most exceptions and most other machines that are made anew."""

# Of these the word is looked at by a timer, their findings only when they come back.
_WORD_ONLY = frozenset({"silent", "paused", "left"})


@dataclass(frozen=True)
class Reproduced:
    """What came of making verdicts and standings anew.

    Attributes:
        verdicts: How many verdicts were made anew.
        all_verdicts: How many there are.
        machines: How many machines were stood anew.
        all_machines: How many there are.
        due: Verdicts and machines whose time to be looked at has come; they are left out.
        wrong: One sentence for each that differs.
    """

    verdicts: int
    all_verdicts: int
    machines: int
    all_machines: int
    due: int
    wrong: tuple[str, ...]


def reproduce(conn: Connection, current: Current, now: int, limit: int = SAMPLE_MAX) -> Reproduced:
    """Makes verdicts and standings anew and compares them with the stored ones.

    Args:
        conn: For reading, in one transaction.
        current: What is true, from the same database.
        now: Whole seconds since the epoch.
        limit: Most of each kind.
    """
    verdict_due, machine_due = verdicts.c.next_change_at <= now, machines.c.due_at <= now
    pairs = _pairs(conn, now, limit)
    stood = [
        *_machines(conn, machines.c.exception.is_not(None), now, limit),
        *_machines(conn, machines.c.exception.is_(None), now, limit),
    ]
    found = (
        *(_judged_otherwise(current, held, body, now) for held, body in pairs),
        *(_stands_otherwise(conn, current, machine, now) for machine in stood),
    )
    return Reproduced(
        verdicts=len(pairs),
        all_verdicts=_number(conn, verdicts),
        machines=len(stood),
        all_machines=_number(conn, machines),
        due=_number(conn, verdicts, verdict_due) + _number(conn, machines, machine_due),
        wrong=tuple(each for each in found if each is not None),
    )


def _pairs(conn: Connection, now: int, limit: int) -> list[tuple[Held, bytes]]:
    later = or_(verdicts.c.next_change_at.is_(None), verdicts.c.next_change_at > now)
    query = (
        select(verdicts, profiles.c.body.label("profile"))
        .join(profiles, profiles.c.id == verdicts.c.profile_id)
        .where(later)
        .order_by(verdicts.c.machines.desc(), verdicts.c.id)
        .limit(limit)
    )
    return [(held_of(row), row.profile) for row in conn.execute(query)]


def _machines(
    conn: Connection, which: ColumnElement[bool], now: int, limit: int
) -> Iterator[Machine]:
    later = or_(machines.c.due_at.is_(None), machines.c.due_at > now)
    query = MACHINES.where(which, later).order_by(machines.c.id).limit(limit)
    return map(machine_of, conn.execute(query).all())


def _judged_otherwise(current: Current, held: Held, body: bytes, now: int) -> str | None:
    named = f"the verdict on profile {held.profile_id} in group {held.group}"
    verdict = judged(body, current.policy(held.group), current.ledger, now)
    if verdict is None:
        return f"{named} cannot be judged: a rule fails at it"
    if (verdict.standing, verdict.tag) == (held.standing, held.tag):
        return None
    difference = (
        "with other findings"
        if verdict.standing == held.standing
        else f"and the judge says {verdict.standing}"
    )
    return f"{named} is stored as {held.standing}, {difference}"


def _stands_otherwise(conn: Connection, current: Current, machine: Machine, now: int) -> str | None:
    verdict = None
    if machine.profile_id is not None:
        verdict = held(conn, machine.profile_id, machine.group)
    facts, policy = facts_of(conn, current, machine, now), current.policy(machine.group)
    stands = stand(verdict.verdict if verdict else None, facts, policy, now)
    exception = stands.standing if stands.is_exception else None
    named = f"machine {machine.id}"
    if exception != machine.exception:
        return f"{named} is stored as {_word(machine.exception)}, and stands as {_word(exception)}"
    if exception is None or exception in _WORD_ONLY:
        return None
    tag = tag_of_findings(exception, dated_for(machine, stands.findings))
    return None if tag == machine.stand_tag else f"{named} is stored with other findings"


def _word(exception: str | None) -> str:
    return exception or "its verdict says"


def _number(conn: Connection, table: FromClause, *where: ColumnElement[bool]) -> int:
    counted: int = conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    return counted
