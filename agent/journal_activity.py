"""The journal's counts of activity, each kept until it was told and acknowledged.

A count lies in one of two places::

    activity        not in a check-in yet: added up per day, surface and build
    activity_sent   in the check-in that is under way, as it tells them

What a check-in tells moves from the first to the second in the transaction that keeps its
bytes, so that what is added meanwhile waits for the next one. An ack ends the second; a new
epoch moves it back, since nothing of that sending was counted. So each count arrives once.

Every function here runs inside a transaction of `agent.journal`.
"""

import sqlite3
from collections.abc import Iterable

from agent.wire import ACTIVE_MAX_S, ACTIVITY_MAX, Activity

ACTIVITY_KEPT_MAX = 2_000
"""Most counts that wait to be told; those of the oldest day go first."""

STARTS_MAX = 1_000_000
"""Most starts told in one count; further ones wait for the next check-in."""


def add(db: sqlite3.Connection, counts: Iterable[Activity]) -> int:
    """Adds counts to those that wait.

    Returns:
        How many of the oldest had to be let go.
    """
    db.executemany(
        "INSERT INTO activity VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, surface, build)"
        " DO UPDATE SET seconds = seconds + excluded.seconds, starts = starts + excluded.starts",
        [(*_key(each), each.seconds, each.starts) for each in counts],
    )
    return _bound(db)


def oldest(db: sqlite3.Connection) -> tuple[Activity, ...]:
    """What a new check-in tells: at most `ACTIVITY_MAX` counts, the oldest day first."""
    rows = db.execute(
        "SELECT day, surface, build, seconds, starts FROM activity"
        " ORDER BY day, surface, build LIMIT ?",
        (ACTIVITY_MAX,),
    )
    return tuple(
        Activity(
            day=day,
            surface=surface,
            build=build or None,
            seconds=min(seconds, ACTIVE_MAX_S),
            starts=min(starts, STARTS_MAX),
        )
        for day, surface, build, seconds, starts in rows
    )


def send(db: sqlite3.Connection, told: Iterable[Activity]) -> None:
    """Moves what a check-in tells out of what waits."""
    rows = [(*_key(each), each.seconds, each.starts) for each in told]
    db.executemany("INSERT INTO activity_sent VALUES (?, ?, ?, ?, ?)", rows)
    db.executemany(
        "UPDATE activity SET seconds = seconds - ?4, starts = starts - ?5"
        " WHERE day = ?1 AND surface = ?2 AND build = ?3",
        rows,
    )
    db.execute("DELETE FROM activity WHERE seconds <= 0 AND starts <= 0")


def tell_again(db: sqlite3.Connection) -> int:
    """Moves what was sent back to what waits.

    Returns:
        How many of the oldest had to be let go.
    """
    # Without the WHERE, "ON" would be read as a join's (sqlite.org/lang_upsert.html).
    db.execute(
        "INSERT INTO activity SELECT * FROM activity_sent WHERE true"
        " ON CONFLICT (day, surface, build)"
        " DO UPDATE SET seconds = seconds + excluded.seconds, starts = starts + excluded.starts"
    )
    settle(db)
    return _bound(db)


def settle(db: sqlite3.Connection) -> int:
    """Ends what was sent, whether it was acknowledged or is let go.

    Returns:
        How many counts that were.
    """
    return db.execute("DELETE FROM activity_sent").rowcount


def forget(db: sqlite3.Connection) -> None:
    """Ends what waits, and what was sent."""
    db.execute("DELETE FROM activity")
    settle(db)


def _key(count: Activity) -> tuple[int, str, str]:
    # No two NULLs are equal in a key, so bytes that were not examined are the empty text.
    return count.day, count.surface, count.build or ""


def _bound(db: sqlite3.Connection) -> int:
    return db.execute(
        "DELETE FROM activity WHERE (day, surface, build) IN (SELECT day, surface, build"
        " FROM activity ORDER BY day DESC, surface, build LIMIT -1 OFFSET ?)",
        (ACTIVITY_KEPT_MAX,),
    ).rowcount
