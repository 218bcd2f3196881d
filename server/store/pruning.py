"""Which rows are old and over: each kind is a `Prune`, and `server.keeper` runs all of them.

Finding takes as long as it takes, on a connection that only reads. What it finds stays
right, since nothing changes a row that is over: of an append-only table a row goes only if
the same machine, verdict or count has a later one before the horizon, so that the latest
rows, and the answers about all later moments, stay as they are. Such tables are walked once, in
the order in which they were written: each row that has come to lie before the horizon takes
its predecessors with it, and how far that came is kept (`server.store.kept`).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise, takewhile
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    func,
    or_,
    select,
)

from server.alerts.bodies import decode_incident
from server.retention import DAY_S, HOUR_S
from server.store import kept
from server.store.prune import ROWS_MAX, Found, Key, Prune, walk
from server.store.tables import (
    activity,
    assignments,
    build_log,
    count_log,
    counts,
    listened,
    outbox,
    stands,
    transitions,
    verdict_log,
    waivers,
)
from server.store.uptime import SPANS_MAX
from server.transitions import AWAY

PAGE_MAX = 10_000
"""Most minutes of a count that are looked at in one statement: a week of them."""


def _superseded(
    table: Table, key: Sequence[str], supersedes: ColumnElement[bool] | None = None
) -> Callable[[Connection, int], Found]:
    """Walks a table that is numbered as it is written; `at` is when a row was."""
    earlier = table.alias("earlier")

    def find(conn: Connection, before: int) -> Found:
        came = kept.reached(conn, walk("history", table))
        window = conn.execute(
            select(table.c.id, table.c.at)
            .where(table.c.id > came)
            .order_by(table.c.id)
            .limit(ROWS_MAX)
        ).all()
        over = list(takewhile(lambda row: row.at <= before, window))
        if not over:
            return Found(())
        last = over[-1].id
        rows = select(*(table.c[name] for name in key), func.max(table.c.id).label("id"))
        rows = rows.where(table.c.id > came, table.c.id <= last).group_by(
            *rows.selected_columns[:-1]
        )
        later = (rows if supersedes is None else rows.where(supersedes)).subquery("later")
        same = (earlier.c[name] == later.c[name] for name in key)
        # By the time that the index has, too: else each slice would look at all that follow it.
        is_before = (earlier.c.id < later.c.id) & (earlier.c.at <= max(row.at for row in over))
        query = select(earlier.c.id).select_from(later).join(earlier, and_(is_before, *same))
        keys = [(each,) for each in conn.execute(query).scalars()]
        return Found(keys, last, is_last=len(over) < ROWS_MAX)

    return find


# A machine that goes from silence into a pause stays away: how it went is told at its end.
_IS_NOT_STILL_AWAY = or_(
    transitions.c.before.is_(None),
    transitions.c.before.not_in(AWAY),
    transitions.c.after.not_in(AWAY),
)


def _fleet(conn: Connection, before: int) -> Found:
    """A fleet's changes stand for themselves."""
    query = select(transitions.c.id).where(
        transitions.c.machine_id.is_(None),
        transitions.c.at <= before,
        transitions.c.id <= kept.reached(conn, walk("history", transitions)),
    )
    return _all_of(conn, query.order_by(transitions.c.id))


def _assignments(conn: Connection, before: int) -> Found:
    """Numbered by machine, so walked by when the server heard of them."""
    came = kept.reached(conn, walk("history", assignments))
    at = assignments.c.told_at
    far = select(at).where(at > came, at <= before).order_by(at).offset(ROWS_MAX - 1).limit(1)
    upto: int | None = conn.execute(far).scalar_one_or_none()
    later, earlier = assignments.alias("later"), assignments.alias("earlier")
    query = (
        select(earlier.c.machine_id, earlier.c.number)
        .distinct()
        .select_from(later)
        .join(
            earlier,
            (earlier.c.machine_id == later.c.machine_id)
            & (earlier.c.number < later.c.number)
            & (earlier.c.told_at <= before),
        )
        # One that was over when it was told was never what the machine had.
        .where(
            later.c.told_at > came,
            later.c.told_at <= (upto or before),
            later.c.began.is_not(None),
        )
    )
    keys = [tuple(row) for row in conn.execute(query)]
    return Found(keys, upto or before, is_last=upto is None)


def _minutes(conn: Connection, before: int) -> Found:
    """Of each hour its last minute stays."""
    came = kept.reached(conn, walk("share minutes", count_log))
    keys: list[Key] = []
    for group, standing in _numbers(conn):
        for minutes in _pages(conn, group, standing, range(came, before)):
            keys += [(group, standing, at) for at in within_hours(minutes)]
            if len(keys) >= ROWS_MAX:
                return Found(keys, is_last=False)
    return Found(keys, before)


def _pages(conn: Connection, group: str, standing: str, within: range) -> Iterator[Sequence[int]]:
    """The minutes of a number, in their order; each page begins with the last of the one before."""
    query = (
        select(count_log.c.at)
        .where(count_log.c.group_name == group, count_log.c.standing == standing)
        .where(count_log.c.at < within.stop)
        .order_by(count_log.c.at)
        .limit(PAGE_MAX)
    )
    begin, is_full = within.start, True
    while is_full:
        minutes = conn.execute(query.where(count_log.c.at >= begin)).scalars().all()
        yield minutes
        is_full = len(minutes) == PAGE_MAX
        begin = minutes[-1] if minutes else begin


def within_hours(minutes: Sequence[int]) -> Iterator[int]:
    """Of minutes in their order those after which another one of the same hour comes. Pure."""
    for at, following in pairwise(minutes):
        if at // HOUR_S == following // HOUR_S:
            yield at


def _shares(conn: Connection, before: int) -> Found:
    """Of each number the last one before the horizon stays."""
    keys: list[Key] = []
    for group, standing in _numbers(conn):
        mine = (count_log.c.group_name == group, count_log.c.standing == standing)
        last = select(func.max(count_log.c.at)).where(*mine, count_log.c.at < before)
        rows = select(count_log.c.at).where(*mine, count_log.c.at < last.scalar_subquery())
        found = conn.execute(rows.order_by(count_log.c.at).limit(ROWS_MAX)).scalars()
        keys += [(group, standing, at) for at in found]
        if len(keys) >= ROWS_MAX:
            return Found(keys, is_last=False)
    return Found(keys)


def _numbers(conn: Connection) -> Sequence[tuple[str, str]]:
    rows = conn.execute(select(counts.c.group_name, counts.c.standing))
    return [(row.group_name, row.standing) for row in rows]


def _whole_days(table: Table, conn: Connection, before: int) -> Found:
    """Each day stands for itself."""
    query = select(*table.primary_key.columns).where(table.c.day < before // DAY_S)
    return _all_of(conn, query.order_by(table.c.day))


def _messages(conn: Connection, before: int) -> Found:
    """An incident that lasts stays, so that its end is told; so does the last message sent."""
    settled = func.coalesce(outbox.c.delivered_at, outbox.c.dropped_at)
    last = select(outbox.c.id).order_by(outbox.c.delivered_at.desc().nulls_last()).limit(1)
    stays = {*_lasting(conn), conn.execute(last).scalar_one_or_none()}
    query = select(outbox.c.id).where(settled <= before, outbox.c.id.not_in(stays - {None}))
    return _all_of(conn, query.order_by(outbox.c.id))


def _lasting(conn: Connection) -> Iterator[int]:
    """The last rows of incidents that are not over."""
    latest = select(func.max(outbox.c.id)).where(outbox.c.told == "operator")
    query = select(outbox.c.id, outbox.c.body).where(
        outbox.c.id.in_(latest.group_by(outbox.c.topic))
    )
    return (row.id for row in conn.execute(query) if not decode_incident(row.body).over)


def _waivers(conn: Connection, before: int) -> Found:
    return _all_of(conn, select(waivers.c.id).where(waivers.c.until <= before))


def _listened(conn: Connection, before: int) -> Found:
    """Only so many are ever read."""
    newest = select(listened.c.id).order_by(listened.c.id.desc()).offset(SPANS_MAX).limit(1)
    query = select(listened.c.id).where(
        listened.c.id <= newest.scalar_subquery(), listened.c.last_at <= before
    )
    return _all_of(conn, query)


def _all_of(conn: Connection, query: Select[*tuple[Any, ...]]) -> Found:
    keys = [tuple(row) for row in conn.execute(query.limit(ROWS_MAX))]
    return Found(keys, is_last=len(keys) < ROWS_MAX)


PRUNES = (
    Prune("history", stands, _superseded(stands, ("machine_id",))),
    Prune("history", verdict_log, _superseded(verdict_log, ("profile_id", "group_name"))),
    Prune("history", transitions, _superseded(transitions, ("machine_id",), _IS_NOT_STILL_AWAY)),
    Prune("history", transitions, _fleet),
    Prune("history", assignments, _assignments),
    Prune("history", waivers, _waivers),
    Prune("history", listened, _listened),
    Prune("share minutes", count_log, _minutes),
    Prune("shares", count_log, _shares),
    Prune("shares", build_log, partial(_whole_days, build_log)),
    Prune("activity", activity, partial(_whole_days, activity)),
    Prune("messages", outbox, _messages),
)
"""All kinds of rows that only get old; what is not used any more is `server.store.unused`'s."""
