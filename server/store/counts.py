"""How many machines stand how: sums kept with every change, and made anew to check them.

``counts`` is what a status page reads: its cost does not grow with the fleet. The same
numbers can be made from ``machines`` and ``verdicts`` alone (`recount`), which ``doctor``
and the tests compare. A machine that never told a profile counts as `unknown`.

``count_log`` keeps what each number was at the end of every minute in which it changed, so
that a share can be told as it was at any full minute (`at_minute`). The latest row of a
number is the number itself. What a clock that ran ahead wrote of minutes yet to come is
taken back by the next change of that number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    ScalarSelect,
    Text,
    bindparam,
    delete,
    func,
    literal,
    select,
    union_all,
    update,
)

from agent.wire import Standing
from server.store import build_counts
from server.store.dialect import upsert
from server.store.tables import count_log, counts, machines, verdicts

Counts = Mapping[tuple[str, str], int]
"""Machines by (group, standing); zeros are left out."""

MINUTE_S = 60
"""How fine the log of counts is, in seconds."""

Pairs = Mapping[tuple[int, str], int]
"""Machines that stand as their verdict says, by (profile id, group); zeros are left out."""


# `counts` has a row for each number that there ever was, and few of them.
_is_of_number = (count_log.c.group_name == counts.c.group_name) & (
    count_log.c.standing == counts.c.standing
)


@dataclass(frozen=True)
class Sums:
    """The numbers that are kept with every change.

    Attributes:
        counts: By (group, standing).
        pairs: By (profile id, group).
    """

    counts: Counts
    pairs: Pairs


def count(conn: Connection, group: str, standing: Standing, machines: int, now: int) -> None:
    """Adds machines of one standing, also to the log; a negative number takes them away."""
    if not machines:
        return
    number = {"of_group": group, "of_standing": standing}
    minute = now - now % MINUTE_S
    conn.execute(_ADD, {**number, "number": machines})
    conn.execute(_UNLOG, {**number, "minute": minute})
    conn.execute(_LOG, {**number, "minute": minute})


def count_pair(conn: Connection, profile_id: int, group: str, machines: int) -> None:
    """Adds machines that stand as the verdict of a (profile, group) says."""
    conn.execute(_ADD_PAIR, {"of_profile": profile_id, "of_group": group, "number": machines})


def _add() -> Executable:
    statement = upsert(counts).values(
        group_name=_GROUP, standing=_STANDING, machines=bindparam("number")
    )
    return statement.on_conflict_do_update(
        index_elements=[counts.c.group_name, counts.c.standing],
        set_={"machines": counts.c.machines + statement.excluded.machines},
    )


def _log() -> Executable:
    counted = select(counts.c.machines).where(
        counts.c.group_name == _GROUP, counts.c.standing == _STANDING
    )
    statement = upsert(count_log).values(
        group_name=_GROUP,
        standing=_STANDING,
        at=bindparam("minute"),
        machines=counted.scalar_subquery(),
    )
    return statement.on_conflict_do_update(
        index_elements=[count_log.c.group_name, count_log.c.standing, count_log.c.at],
        set_={"machines": statement.excluded.machines},
    )


# Made once: a fleet that falls silent counts each of its machines, and writing a statement
# anew costs more than running it.
_GROUP, _STANDING = bindparam("of_group", type_=Text), bindparam("of_standing", type_=Text)
_ADD, _LOG = _add(), _log()
_UNLOG = delete(count_log).where(
    count_log.c.group_name == _GROUP,
    count_log.c.standing == _STANDING,
    count_log.c.at > bindparam("minute"),
)
_ADD_PAIR = (
    update(verdicts)
    .where(
        verdicts.c.profile_id == bindparam("of_profile"),
        verdicts.c.group_name == bindparam("of_group"),
    )
    .values(machines=verdicts.c.machines + bindparam("number"))
)


def standings(conn: Connection) -> Counts:
    """How many machines stand how, as it is kept: costs the same for any fleet."""
    rows = conn.execute(select(counts).where(counts.c.machines != 0))
    return {(row.group_name, row.standing): row.machines for row in rows}


def at_minute(conn: Connection, minute: int) -> Counts:
    """How many machines stood how as a minute began: zeros are left out.

    Args:
        conn: For reading.
        minute: Whole seconds since the epoch, of a full minute.
    """
    then = _logged(count_log.c.at < minute).label("machines")
    rows = conn.execute(select(counts.c.group_name, counts.c.standing, then))
    return {(row.group_name, row.standing): row.machines for row in rows if row.machines}


def logged_from(conn: Connection) -> int | None:
    """From which moment on `at_minute` knows all numbers; None while nothing was counted."""
    first = select(func.min(count_log.c.at)).where(_is_of_number).scalar_subquery()
    found = conn.execute(select(func.min(select(first.label("at")).subquery().c.at))).scalar_one()
    return None if found is None else found + MINUTE_S


def _logged(*when: ColumnElement[bool]) -> ScalarSelect[int]:
    """What the log said last of a row of `counts`."""
    return (
        select(count_log.c.machines)
        .where(_is_of_number, *when)
        .order_by(count_log.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )


def kept(conn: Connection) -> Sums:
    """All numbers as they are kept."""
    pairs = conn.execute(
        select(verdicts.c.profile_id, verdicts.c.group_name, verdicts.c.machines).where(
            verdicts.c.machines != 0
        )
    )
    return Sums(
        standings(conn),
        {(row.profile_id, row.group_name): row.machines for row in pairs},
    )


def recount(conn: Connection) -> Sums:
    """The same numbers, from the machines and verdicts alone: cost grows with the fleet."""
    number = func.count().label("number")
    follows = machines.c.exception.is_(None)
    by_verdict = (
        select(machines.c.group_name, verdicts.c.standing, number)
        .join_from(
            machines,
            verdicts,
            (verdicts.c.profile_id == machines.c.profile_id)
            & (verdicts.c.group_name == machines.c.group_name),
        )
        .where(follows)
        .group_by(machines.c.group_name, verdicts.c.standing)
    )
    by_exception = (
        select(machines.c.group_name, machines.c.exception, number)
        .where(machines.c.exception.is_not(None))
        .group_by(machines.c.group_name, machines.c.exception)
    )
    silent_yet = (
        select(machines.c.group_name, literal("unknown"), number)
        .where(follows, machines.c.profile_id.is_(None))
        .group_by(machines.c.group_name)
    )
    sums: dict[tuple[str, str], int] = {}
    for group, standing, found in conn.execute(union_all(by_verdict, by_exception, silent_yet)):
        sums[group, standing] = sums.get((group, standing), 0) + found
    pairs = conn.execute(
        select(machines.c.profile_id, machines.c.group_name, number)
        .where(follows, machines.c.profile_id.is_not(None))
        .group_by(machines.c.profile_id, machines.c.group_name)
    )
    return Sums(sums, {(profile_id, group): found for profile_id, group, found in pairs})


def differences(conn: Connection) -> Iterator[str]:
    """One sentence for every number that is kept wrong: for ``parity-server doctor``."""
    told, made = kept(conn), recount(conn)
    for key in sorted(told.counts.keys() | made.counts.keys()):
        says, has = told.counts.get(key, 0), made.counts.get(key, 0)
        if says != has:
            yield f"group {key[0]}, {key[1]}: {says} machines are counted, {has} are there"
    for pair in sorted(told.pairs.keys() | made.pairs.keys()):
        says, has = told.pairs.get(pair, 0), made.pairs.get(pair, 0)
        if says != has:
            yield f"profile {pair[0]} in group {pair[1]}: {says} are counted, {has} are there"
    yield from _log_differences(conn)
    yield from build_counts.differences(conn)


def _log_differences(conn: Connection) -> Iterator[str]:
    latest = func.coalesce(_logged(), 0)
    rows = conn.execute(
        select(counts.c.group_name, counts.c.standing, counts.c.machines, latest.label("logged"))
        .where(counts.c.machines != latest)
        .order_by(counts.c.group_name, counts.c.standing)
    )
    for group, standing, has, logged in rows:
        yield f"group {group}, {standing}: {has} are counted, the log of counts ends with {logged}"
