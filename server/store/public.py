"""The public truth in the database: the ledger as one value, look-ups, sources' health.

What the sources said is written by `server.store.published`. Functions that write take the
connection of a writer's transaction.
"""

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, case, func, or_, select, update

from server.releases.health import SourceHealth
from server.releases.ledger import Ledger, Lookup, Outcome, Reading
from server.store.dialect import upsert
from server.store.published import files, listed_releases
from server.store.references import is_vouched
from server.store.tables import lookups, readings, source_health

WAITING_MAX = 1_000
"""Most look-ups that are handed out at a time."""


def load_ledger(conn: Connection) -> Ledger:
    """Everything read so far, as one value."""
    return Ledger(
        readings=[
            Reading(row.source, row.channel, row.version, row.first_seen, row.last_seen)
            for row in conn.execute(select(readings).order_by(readings.c.id))
        ],
        releases=listed_releases(conn),
        artifacts=files(conn, is_vouched()),
        lookups=[_lookup(row) for row in conn.execute(select(lookups))],
    )


def ask(conn: Connection, versions: Iterable[str], now: int) -> None:
    """Wants versions looked up; does nothing for one that waits already.

    When a version was asked for first stays as it is: what was read since then was read
    after some laptop's report of it, however often it is asked for again.
    """
    for version in sorted(versions):
        statement = upsert(lookups).values(
            version=version, first_asked_at=now, asked_at=now, outcome="waiting"
        )
        # Later than its answer, even within one second: else it would not wait.
        later = case((lookups.c.answered_at >= now, lookups.c.answered_at + 1), else_=now)
        first = func.coalesce(lookups.c.first_asked_at, lookups.c.asked_at)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["version"],
                set_={"asked_at": later, "first_asked_at": first},
                where=lookups.c.answered_at >= lookups.c.asked_at,
            )
        )


def ask_again(conn: Connection, listed: Collection[str], now: int) -> None:
    """Wants those versions looked up of which it was said that there are none.

    Args:
        conn: The transaction.
        listed: What a source lists from now on.
        now: The server's clock.
    """
    absent = conn.execute(select(lookups.c.version).where(lookups.c.outcome == "absent"))
    ask(conn, (version for version in absent.scalars().all() if version in listed), now)


def waiting(conn: Connection) -> tuple[Lookup, ...]:
    """The look-ups that have no answer, or an older one than the question; oldest first."""
    query = (
        select(lookups)
        .where(or_(lookups.c.answered_at.is_(None), lookups.c.answered_at < lookups.c.asked_at))
        .order_by(lookups.c.asked_at, lookups.c.version)
        .limit(WAITING_MAX)
    )
    return tuple(_lookup(row) for row in conn.execute(query))


def answer(conn: Connection, version: str, outcome: Outcome, reason: str | None, now: int) -> None:
    """Answers a look-up."""
    at = case((lookups.c.asked_at > now, lookups.c.asked_at), else_=now)
    values = {"outcome": outcome, "reason": reason, "answered_at": at}
    conn.execute(update(lookups).where(lookups.c.version == version).values(**values))


def confirm(conn: Connection, version: str) -> None:
    """Takes a repeated question back: the answer stands as it was, with its time."""
    where = (lookups.c.version == version, lookups.c.answered_at.is_not(None))
    conn.execute(update(lookups).where(*where).values(asked_at=lookups.c.answered_at))


def health(conn: Connection) -> tuple[SourceHealth, ...]:
    """How every source does that was ever tried, by name."""
    rows = conn.execute(_HEALTH.order_by(source_health.c.source))
    return tuple(SourceHealth(**row) for row in rows.mappings())


def mark_ok(conn: Connection, source: str, now: int) -> SourceHealth | None:
    """Notes that a source answered.

    Returns:
        How it did before; None if it was never tried.
    """
    before = _health_of(conn, source)
    since = before.since if before and before.state == "ok" else now
    _put_health(conn, SourceHealth(source, "ok", since, read_at=now))
    return before


def mark_unreachable(conn: Connection, source: str, error: str, now: int) -> SourceHealth:
    """Notes that a source gave no usable answer.

    Returns:
        How it does now.
    """
    before = _health_of(conn, source)
    lasting = before if before and before.state == "unreachable" else None
    after = SourceHealth(
        source,
        "unreachable",
        since=lasting.since if lasting else now,
        read_at=before.read_at if before else None,
        error=error,
    )
    _put_health(conn, after)
    return after


def _health_of(conn: Connection, source: str) -> SourceHealth | None:
    row = conn.execute(_HEALTH.where(source_health.c.source == source)).mappings().first()
    return SourceHealth(**row) if row else None


def _put_health(conn: Connection, item: SourceHealth) -> None:
    values = {
        "state": item.state,
        "since": item.since,
        "read_at": item.read_at,
        "error": item.error,
    }
    statement = upsert(source_health).values(source=item.source, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))


def _lookup(row: Row[Any]) -> Lookup:
    return Lookup(
        row.version, row.asked_at, row.answered_at, row.outcome, row.reason, row.first_asked_at
    )


_HEALTH = select(*(source_health.c[each.name] for each in fields(SourceHealth)))
