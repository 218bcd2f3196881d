"""A machine moves: what that does to counts, timeline, transitions and messages.

Everything here runs in the writer's open transaction and leaves all of these right in it.
A machine is counted under its verdict, or as an exception under its own word; a move
takes it from the one and adds it to the other.

Silence ends nothing: when a machine speaks again, people are told how it stands now
against how it stood when it fell silent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, insert, select

from agent.wire import Standing
from server.alerts import outbox
from server.current import Current
from server.standing import carried, dated
from server.store.counts import count, count_pair
from server.store.machines import Machine, change, seen, write_began, write_taken
from server.store.steps import Taken, Way
from server.store.tables import assignments, transitions
from server.store.transitions import record
from server.store.verdicts import Held, held, hold
from server.transitions import Transition, cause

Stood = tuple[Machine, Held | None]
"""A machine and the verdict on its profile."""

_MOVES = ("profile_id", "profile_since", "began", "exception", "told", "standing_since", "due_at")


def held_by(conn: Connection, machine: Machine) -> Held | None:
    """The verdict on a machine's profile; None before its first one."""
    if machine.profile_id is None:
        return None
    return held(conn, machine.profile_id, machine.group)


def take(conn: Connection, current: Current, machine: Machine, way: Way, now: int) -> Machine:
    """A machine that just spoke takes the profiles of its way, and is silent no more.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        machine: As it is stored.
        way: What it takes; without a present profile it keeps the one it has.
        now: The server's clock.

    Returns:
        The machine as it is stored now.
    """
    passed = [
        (each, hold(conn, current, each.profile_id, machine.group, now)) for each in way.passed
    ]
    _record(conn, machine, way.passed, now)
    before = held_by(conn, machine)
    policy = current.policy(machine.group)
    due_at = machine.due_at or now + policy.silent_after_s
    if way.present is None:
        exception: Standing | None = "unknown" if way.is_overdue else None
        spoken = replace(machine, exception=exception, due_at=due_at)
        return move(conn, (machine, before), (spoken, before), now, now)
    after = hold(conn, current, way.present.profile_id, machine.group, now)
    began = _carried(machine, before, passed, (way.present, after))
    _record(conn, machine, (way.present,), now, began)
    taken = replace(
        machine,
        profile_id=after.profile_id,
        profile_since=way.present.step.at,
        began=write_began(began),
        exception=None,
        told="drifted" if after.standing == "unknown" and _drifted(machine, before) else None,
        due_at=due_at,
    )
    return move(conn, (machine, before), (taken, after), way.present.step.at, now)


def move(conn: Connection, old: Stood, new: Stood, at: int, now: int) -> Machine:
    """Writes what differs between how a machine stood and how it stands."""
    machine, verdict = new
    before, after = old[0].standing(old[1]), machine.standing(verdict)
    if before != after or old[0].standing_since is None:
        machine = replace(machine, standing_since=at)
    values = {
        name: getattr(machine, name)
        for name in _MOVES
        if getattr(machine, name) != getattr(old[0], name)
    }
    if values:
        change(conn, machine.id, values)
        seen(conn, machine.id, {"key": None})
        _recount(conn, old, (machine, verdict), now)
    first = old[0].profile_id is None and machine.profile_id is not None
    if before != after or first:
        _tell(conn, old, (machine, verdict), at, now)
    return machine


def count_in(conn: Connection, stood: Stood, number: int, now: int) -> None:
    """Adds a machine to the counts, or takes it from them."""
    machine, verdict = stood
    count(conn, machine.group, machine.standing(verdict), number, now)
    pair = _pair(stood)
    if pair is not None:
        count_pair(conn, *pair, number)


def _recount(conn: Connection, old: Stood, new: Stood, now: int) -> None:
    group, before, after = old[0].group, old[0].standing(old[1]), new[0].standing(new[1])
    if before != after:
        count(conn, group, before, -1, now)
        count(conn, group, after, +1, now)
    left, joined = _pair(old), _pair(new)
    if left != joined:
        if left:
            count_pair(conn, *left, -1)
        if joined:
            count_pair(conn, *joined, +1)


def _pair(stood: Stood) -> tuple[int, str] | None:
    machine, verdict = stood
    if machine.exception is not None or verdict is None:
        return None
    return verdict.profile_id, verdict.group


def _drifted(machine: Machine, verdict: Held | None) -> bool:
    """Whether people last heard of this machine that it drifts."""
    return "drifted" in {machine.told, verdict.told if verdict else None}


def _tell(conn: Connection, old: Stood, new: Stood, at: int, now: int) -> None:
    (machine, before_verdict), (_, verdict) = old, new
    after = new[0].standing(verdict)
    unjudged = machine.profile_id is None and machine.exception is None
    before = None if unjudged else machine.standing(before_verdict)
    findings = new[0].findings(verdict)
    known = machine.findings(before_verdict) if machine.exception is None else ()
    transition = Transition(
        kind="machine",
        at=at,
        group=machine.group,
        profile_id=new[0].profile_id,
        before=before,
        after=after,
        told="drifted" if _drifted(machine, before_verdict) else None,
        cause=new[0].exception or cause(known, findings),
        machines=1,
        labels=(machine.label,),
        findings=findings,
        machine_id=machine.id,
    )
    if machine.exception == "silent":
        heard = replace(transition, before=_before_silence(conn, machine.id))
        outbox.tell(conn, heard, now)
    else:
        outbox.tell(conn, transition, now)
    record(conn, (transition,))


def _before_silence(conn: Connection, machine_id: str) -> Standing | None:
    query = (
        select(transitions.c.before)
        .where(transitions.c.machine_id == machine_id, transitions.c.after == "silent")
        .order_by(transitions.c.at.desc(), transitions.c.id.desc())
        .limit(1)
    )
    found: Standing | None = conn.execute(query).scalar_one_or_none()
    return found


def _carried(
    machine: Machine,
    before: Held | None,
    passed: Sequence[tuple[Taken, Held]],
    present: tuple[Taken, Held],
) -> dict[str, int]:
    """When the present findings began, along the profiles that the machine just passed."""
    findings = machine.findings(before)
    # What arrives late, from before the machine's own profile, is no part of this way.
    chain = [each for each in passed if each[0].step.number >= machine.numbered]
    began: dict[str, int] = {}
    for taken, verdict in (*chain, present):
        at = taken.step.at
        began = carried(findings, verdict.verdict.findings, at)
        findings = dated(verdict.verdict.findings, at, began)
    return began


def _record(
    conn: Connection,
    machine: Machine,
    taken: Sequence[Taken],
    now: int,
    began: Mapping[str, int] | None = None,
) -> None:
    if not taken:
        return
    conn.execute(
        insert(assignments),
        [
            {
                "machine_id": machine.id,
                "number": each.step.number,
                "at": each.step.at,
                "profile_id": each.profile_id,
                "group_name": machine.group,
                "told_at": now,
                "began": None if began is None else write_taken(began),
            }
            for each in taken
        ],
    )
