"""How much builds are used, by day, group and surface; never by machine.

How much one person works is nobody's business: what a check-in tells is added to the sum of
its group and the machine is forgotten, in the transaction that takes the check-in, so that
each count is added exactly once. A batch costs two statements more, however many
laptops are in it, four if some builds in it are not public, and none if nobody tells anything.

Builds are words of laptops too, and one that lies must not fill the table: a day of a group
takes no further build beyond `ROWS_MAX` rows, unless it is public. Such use is counted as not
examined.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, func, select, true

from agent.wire import Activity
from server.activity import NOT_EXAMINED, Key, Used, summed
from server.releases.ledger import Ledger
from server.store.dialect import array_of, rows_of, upsert
from server.store.prepared import Prepared
from server.store.tables import activity

ROWS_MAX = 1_000
"""Most rows per day and group; public builds and what was not examined have theirs beyond."""

READ_MAX = 100_000
"""Most rows that one question reads."""

_told = rows_of(
    bindparam("told", type_=Text),
    {
        "day": BigInteger,
        "group_name": Text,
        "surface": Text,
        "build": Text,
        "seconds": BigInteger,
        "starts": BigInteger,
    },
    "told",
)
_here = (activity.c.day == _told.c.day) & (activity.c.group_name == _told.c.group_name)
_same = _here & (activity.c.surface == _told.c.surface) & (activity.c.build == _told.c.build)

_KNOWN = Prepared(
    select(array_of(_told.c.day, _told.c.group_name, _told.c.surface, _told.c.build)).select_from(
        _told.join(activity, _same)
    )
)

_days = select(_told.c.day, _told.c.group_name).distinct().subquery("days")
_full = (
    select(_days.c.day, _days.c.group_name, func.count().label("kept"))
    .select_from(_days)
    .join(
        activity,
        (activity.c.day == _days.c.day) & (activity.c.group_name == _days.c.group_name),
    )
    .group_by(_days.c.day, _days.c.group_name)
    .subquery("full_days")
)
_KEPT = Prepared(select(array_of(_full.c.day, _full.c.group_name, _full.c.kept)))

_adding = upsert(activity).from_select(
    [column.name for column in activity.columns],
    # SQLite would take the ON of the conflict for a join's without a WHERE before it.
    select(*_told.columns).where(true()),
)
_ADD = Prepared(
    _adding.on_conflict_do_update(
        index_elements=list(activity.primary_key),
        set_={
            "seconds": activity.c.seconds + _adding.excluded.seconds,
            "starts": activity.c.starts + _adding.excluded.starts,
        },
    )
)

_keys = msgspec.json.Decoder(list[Key])
_counts = msgspec.json.Decoder(list[tuple[int, str, int]])


def add(
    conn: Connection, ledger: Ledger, told: Iterable[tuple[str, Iterable[Activity]]], now: int
) -> None:
    """Adds what machines tell, in the writer's transaction.

    Args:
        conn: The writer's transaction.
        ledger: What is public: such builds are always kept apart.
        told: A machine's group with what it tells, for each machine whose check-in is new.
        now: The server's clock: no day is later than its own.
    """
    fitting = _bounded(conn, ledger, summed(told, now))
    _ADD.run(conn, {"told": _rows(fitting)})


def read(conn: Connection, since: int, group: str | None = None) -> tuple[Used, ...]:
    """What was told, the latest day first: at most `READ_MAX` rows.

    Args:
        conn: For reading.
        since: The first day.
        group: Of this group only.
    """
    query = select(activity).where(activity.c.day >= since)
    if group is not None:
        query = query.where(activity.c.group_name == group)
    key = (activity.c.day.desc(), activity.c.group_name, activity.c.surface, activity.c.build)
    rows = conn.execute(query.order_by(*key).limit(READ_MAX))
    return tuple(Used(*row) for row in rows)


def _bounded(
    conn: Connection, ledger: Ledger, sums: Mapping[Key, tuple[int, int]]
) -> Mapping[Key, tuple[int, int]]:
    """The same, with what does not fit counted as not examined."""
    doubtful = [key for key in sums if not _is_always_kept(ledger, key)]
    if not doubtful:
        return sums
    values = {"told": _rows(sums)}
    (found,) = _KNOWN.run(conn, values) or ("[]",)
    known = set(_keys.decode(found))
    new = [key for key in doubtful if key not in known]
    if not new:
        return sums
    (counted,) = _KEPT.run(conn, values) or ("[]",)
    kept = Counter({(day, group): count for day, group, count in _counts.decode(counted)})
    beyond = set()
    for key in new:
        kept[key[:2]] += 1
        if kept[key[:2]] > ROWS_MAX:
            beyond.add(key)
    return _folded(sums, beyond)


def _is_always_kept(ledger: Ledger, key: Key) -> bool:
    build = key[-1]
    return build == NOT_EXAMINED or ledger.artifact(build) is not None


def _folded(sums: Mapping[Key, tuple[int, int]], beyond: set[Key]) -> Mapping[Key, tuple[int, int]]:
    folded: dict[Key, tuple[int, int]] = {}
    for key, (seconds, starts) in sums.items():
        fitting = (*key[:3], NOT_EXAMINED) if key in beyond else key
        before = folded.get(fitting, (0, 0))
        folded[fitting] = before[0] + seconds, before[1] + starts
    return folded


def _rows(sums: Mapping[Key, tuple[int, int]]) -> str:
    return msgspec.json.encode([(*key, *counts) for key, counts in sums.items()]).decode()
