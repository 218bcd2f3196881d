"""A machine moves: what that does to counts, timeline, transitions and messages.

Everything here runs in the writer's open transaction and leaves all of these right in it.
Whatever befell a machine, `settle` stands it anew: a machine is counted under its verdict,
or as an exception under its own word, and a move takes it from the one and adds it to the
other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection, insert, select

from server.activity import NOT_EXAMINED
from server.current import Current
from server.in_use import build_in_use
from server.standing import carried, dated, finding_key, stand
from server.store import build_counts, public
from server.store.counts import count, count_pair
from server.store.facts import facts_of, versions_of
from server.store.machines import (
    Machine,
    change,
    differences,
    seen,
    write_began,
    write_taken,
)
from server.store.stands import dated_for, record_stand, tag_of_findings, told
from server.store.steps import Step, Taken, Way
from server.store.tables import assignments, profiles
from server.store.telling import Stood, heard, is_change, tell
from server.store.verdicts import Held, held, hold, judged, read_profile

_TIMERS = {"due_at", "standing_since"}


def held_by(conn: Connection, machine: Machine) -> Held | None:
    """The verdict on a machine's profile; None before its first one."""
    if machine.profile_id is None:
        return None
    return held(conn, machine.profile_id, machine.group)


def stood(conn: Connection, current: Current, machine: Machine, now: int) -> Stood:
    """A machine as it stands by what is stored of it."""
    verdict = held_by(conn, machine)
    policy = current.policy(machine.group)
    return Stood(machine, verdict, told(conn, policy, machine, verdict, now))


def take(
    conn: Connection, current: Current, old: Machine, spoken: Machine, way: Way, now: int
) -> Machine:
    """A machine that just spoke takes the profiles of its way.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        old: As it is stored.
        spoken: The same with what it said now.
        way: What it takes; without a present profile it keeps the one it has.
        now: The server's clock.

    Returns:
        The machine as it is stored now.
    """
    group = spoken.group
    passed = [(each, hold(conn, current, each.profile_id, group, now)) for each in way.passed]
    _record(conn, spoken, way.passed, now)
    before = stood(conn, current, old, now)
    if way.present is None:
        unsent_since = (old.unsent_since or now) if way.is_overdue else None
        spoken = replace(spoken, unsent_since=unsent_since)
        return settle(conn, current, before, (spoken, before.verdict), now, now)
    after = hold(conn, current, way.present.profile_id, group, now)
    began = _carried(before, passed, (way.present, after))
    _record(conn, spoken, (way.present,), now, began)
    at = way.present.step.at
    taken = replace(
        spoken,
        profile_id=after.profile_id,
        profile_since=at,
        began=write_began(began),
        unsent_since=None,
        taken_at=now,
        build=build_of(conn, after.profile_id),
    )
    return settle(conn, current, before, (taken, after), at, now)


def regroup(
    conn: Connection, current: Current, old: Machine, moved: Machine, number: int, now: int
) -> Machine:
    """A machine takes the profile that it has in another group.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        old: As it is stored.
        moved: The same in its new group.
        number: The place of this in its timeline.
        now: The server's clock.
    """
    before = stood(conn, current, old, now)
    if before.verdict is None:
        return settle(conn, current, before, (moved, None), now, now)
    after = hold(conn, current, before.verdict.profile_id, moved.group, now)
    began = carried(before.findings, after.verdict.findings, now)
    _record(conn, moved, (Taken(Step("", now, number, now), after.profile_id),), now, began)
    moved = replace(moved, profile_since=now, began=write_began(began))
    return settle(conn, current, before, (moved, after), now, now)


def settle(
    conn: Connection,
    current: Current,
    old: Stood,
    new: tuple[Machine, Held | None],
    at: int,
    now: int,
) -> Machine:
    """Stands a machine anew and writes all that follows.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        old: As it stood.
        new: As it is now, and the verdict on its profile.
        at: When it came to be so.
        now: The server's clock.

    Returns:
        The machine as it is stored now.
    """
    machine, verdict = new
    facts, policy = facts_of(conn, current, machine, now), current.policy(machine.group)
    if verdict is not None and not _rests_on_now(conn, current, verdict, now):
        facts = replace(facts, heads_read_at=None)
    stands = stand(verdict.verdict if verdict else None, facts, policy, now)
    if stands.unread:
        public.ask(conn, versions_of(conn, machine, stands.unread), now)
    findings = dated_for(machine, stands.findings)
    exception = stands.standing if stands.is_exception else None
    machine = replace(
        machine,
        exception=exception,
        stand_tag=tag_of_findings(exception, findings) if exception else None,
        due_at=stands.next_change_at,
    )
    return move(conn, old, Stood(machine, verdict, findings), at, now)


def _rests_on_now(conn: Connection, current: Current, held: Held, now: int) -> bool:
    """Whether a build that is said to be ahead, or never public, still is.

    The heads can have been read a moment ago, and the verdict not been judged by that yet.
    """
    outdated = held.verdict.outdated
    if not outdated:
        return True
    body = _body(conn, held.profile_id)
    verdict = judged(body, current.policy(held.group), current.ledger, now)
    return verdict is None or outdated <= {finding_key(item) for item in verdict.findings}


def _body(conn: Connection, profile_id: int) -> bytes:
    query = select(profiles.c.body).where(profiles.c.id == profile_id)
    body: bytes = conn.execute(query).scalar_one()
    return body


def move(
    conn: Connection, old: Stood, new: Stood, at: int, now: int, why: str | None = None
) -> Machine:
    """Writes what differs between how a machine stood and how it stands.

    Args:
        conn: The writer's transaction.
        old: As it stood.
        new: As it stands.
        at: When it came to be so.
        now: The server's clock.
        why: The cause, where somebody said it.
    """
    machine = replace(
        new.machine,
        told=heard(old, new),
        standing_since=at
        if old.standing != new.standing
        else old.machine.stands_since(old.verdict),
    )
    new = replace(new, machine=machine)
    values = differences(old.machine, machine)
    if not values:
        return machine
    change(conn, machine.id, values)
    if values.keys() - _TIMERS:
        seen(conn, machine.id, {"key": None})
    if values.keys() & {"exception", "stand_tag"}:
        record_stand(conn, machine, new.findings, now)
    _recount(conn, old, new, now)
    if is_change(old, new):
        tell(conn, old, new, at, now, why)
    return machine


def count_in(conn: Connection, machine: Machine, held: Held | None, number: int, now: int) -> None:
    """Adds a machine to the counts, or takes it from them."""
    count(conn, machine.group, machine.standing(held), number, now)
    pair = _pair(machine, held)
    if pair is not None:
        count_pair(conn, *pair, number)
    build_counts.count(conn, dict.fromkeys(_built(machine), number), now)


def _recount(conn: Connection, old: Stood, new: Stood, now: int) -> None:
    before, after = ((each.machine.group, each.standing) for each in (old, new))
    if before != after:
        count(conn, *before, -1, now)
        count(conn, *after, +1, now)
    left, joined = (_pair(each.machine, each.verdict) for each in (old, new))
    if left != joined:
        if left:
            count_pair(conn, *left, -1)
        if joined:
            count_pair(conn, *joined, +1)
    gone, come = _built(old.machine), _built(new.machine)
    if gone != come:
        build_counts.count(conn, {**dict.fromkeys(gone, -1), **dict.fromkeys(come, +1)}, now)


def _pair(machine: Machine, verdict: Held | None) -> tuple[int, str] | None:
    if machine.exception is not None or verdict is None:
        return None
    return verdict.profile_id, verdict.group


def build_of(conn: Connection, profile_id: int) -> str:
    """The build in use of a stored profile, as `server.in_use` names it."""
    try:
        return build_in_use(read_profile(_body(conn, profile_id)))
    except msgspec.DecodeError:
        # Nor could it be judged: the log has it, and the laptop is not refused for that.
        return NOT_EXAMINED


def _built(machine: Machine) -> tuple[tuple[str, str], ...]:
    """The number of builds that it is counted in, if it is in one."""
    return () if machine.build is None else ((machine.group, machine.build),)


def _carried(
    before: Stood, passed: Sequence[tuple[Taken, Held]], present: tuple[Taken, Held]
) -> dict[str, int]:
    """When the present findings began, along the profiles that the machine just passed."""
    findings = before.findings
    # What arrives late, from before the machine's own profile, is no part of this way.
    chain = [each for each in passed if each[0].step.number >= before.machine.numbered]
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
