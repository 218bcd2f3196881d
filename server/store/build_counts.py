"""How many machines have which build: sums kept with every change, and made anew to check them.

A machine is counted by the build in use of its profile (`server.in_use`), whatever its
standing, from its first profile until it leaves. The sums are by (group, build); which release
a build is, the ledger says when somebody asks: neither a release nor a verdict moves a count.
A build that no machine of a group has any more has no row.

``build_log`` has a row for each day and number that changed on it: what it was before the
day's first change, and what it is at the day's end. So the days of a window tell how the
numbers were on each of them, without what is older; that can go. What a clock that ran ahead
wrote of days yet to come is taken back by the next change of that number.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import BigInteger, Connection, Executable, Text, bindparam, delete, func, select

from server.in_use import Day
from server.retention import DAY_S
from server.store.dialect import upsert
from server.store.tables import build_counts, build_log, machines

Counts = Mapping[tuple[str, str], int]
"""Machines by (group, build); zeros are left out."""


def count(conn: Connection, changes: Mapping[tuple[str, str], int], now: int) -> None:
    """Adds machines to numbers, also to the log; what is negative takes them away.

    Args:
        conn: The writer's transaction.
        changes: By (group, build).
        now: The server's clock.
    """
    numbers = sorted((*key, number) for key, number in changes.items() if number)
    if not numbers:
        return
    rows = [_row(*each, now) for each in numbers]
    for statement in (_UNLOG, _LOG, _ADD):
        conn.execute(statement, rows)
    if any(number < 0 for _, _, number in numbers):
        conn.execute(_DROP, rows)


def _row(group: str, build: str, number: int, now: int) -> Mapping[str, object]:
    return {"of_group": group, "of_build": build, "number": number, "of_day": now // DAY_S}


_GROUP, _BUILD = bindparam("of_group", type_=Text), bindparam("of_build", type_=Text)
_NUMBER, _DAY = bindparam("number", type_=BigInteger), bindparam("of_day", type_=BigInteger)
_is_number = (build_counts.c.group_name == _GROUP) & (build_counts.c.build == _BUILD)


def _log() -> Executable:
    counted = select(build_counts.c.machines).where(_is_number).scalar_subquery()
    before = func.coalesce(counted, 0)
    statement = upsert(build_log).values(
        day=_DAY, group_name=_GROUP, build=_BUILD, before=before, machines=before + _NUMBER
    )
    return statement.on_conflict_do_update(
        index_elements=list(build_log.primary_key),
        set_={"machines": statement.excluded.machines},
    )


def _add() -> Executable:
    statement = upsert(build_counts).values(group_name=_GROUP, build=_BUILD, machines=_NUMBER)
    return statement.on_conflict_do_update(
        index_elements=list(build_counts.primary_key),
        set_={"machines": build_counts.c.machines + statement.excluded.machines},
    )


# Made once: on the day of a release each machine of a fleet is counted anew.
_LOG, _ADD = _log(), _add()
_UNLOG = delete(build_log).where(
    build_log.c.day > _DAY, build_log.c.group_name == _GROUP, build_log.c.build == _BUILD
)
_DROP = delete(build_counts).where(_is_number, build_counts.c.machines == 0)


def kept(conn: Connection, group: str | None = None) -> Counts:
    """How many machines have which build now: costs the same for any fleet of so many builds.

    Args:
        conn: For reading.
        group: Of this group only.
    """
    query = select(build_counts)
    if group is not None:
        query = query.where(build_counts.c.group_name == group)
    return {(row.group_name, row.build): row.machines for row in conn.execute(query)}


def days(conn: Connection, since: int, group: str | None = None) -> Sequence[Day]:
    """What changed on which day, the latest first.

    Args:
        conn: For reading.
        since: The first day, counted from the epoch.
        group: Of this group only.
    """
    query = select(build_log).where(build_log.c.day >= since)
    if group is not None:
        query = query.where(build_log.c.group_name == group)
    return [Day(*row) for row in conn.execute(query.order_by(build_log.c.day.desc()))]


def first_day(conn: Connection) -> int | None:
    """The first day that is kept of the log; None where there is none."""
    found: int | None = conn.execute(select(func.min(build_log.c.day))).scalar_one()
    return found


def recount(conn: Connection) -> Counts:
    """The same as `kept`, from the machines alone: cost grows with the fleet."""
    by_build = (
        select(machines.c.group_name, machines.c.build, func.count())
        .where(machines.c.build.is_not(None), machines.c.left_at.is_(None))
        .group_by(machines.c.group_name, machines.c.build)
    )
    return {(group, build): number for group, build, number in conn.execute(by_build)}


def missing(conn: Connection) -> Counts:
    """What `count` has to add, so that all is as a recount says; negative where it is too much."""
    told, made = kept(conn), recount(conn)
    return {key: made.get(key, 0) - told.get(key, 0) for key in told.keys() | made.keys()}


def differences(conn: Connection) -> Iterator[str]:
    """One sentence for every number that is kept wrong: for ``parity-server doctor``."""
    told, made = kept(conn), recount(conn)
    for group, build in sorted(told.keys() | made.keys()):
        says, has = told.get((group, build), 0), made.get((group, build), 0)
        if says != has:
            yield f"group {group}, {_named(build)}: {says} are counted, {has} are there"
    for (group, build), logged in sorted(_logged(conn).items()):
        has = told.get((group, build), 0)
        if logged != has:
            yield (
                f"group {group}, {_named(build)}: {has} are counted, the days of builds end"
                f" with {logged}"
            )


def _logged(conn: Connection) -> Counts:
    """What the log said last of each number that it has."""
    number = build_log.c.group_name, build_log.c.build
    latest = select(*number, func.max(build_log.c.day).label("day")).group_by(*number).subquery()
    is_latest = (
        (build_log.c.day == latest.c.day)
        & (build_log.c.group_name == latest.c.group_name)
        & (build_log.c.build == latest.c.build)
    )
    rows = conn.execute(select(*number, build_log.c.machines).join(latest, is_latest))
    return {(group, build): has for group, build, has in rows}


def _named(build: str) -> str:
    return f"build {build[:12] or 'not examined'}"
