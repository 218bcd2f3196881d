"""The public truth in the database: the ledger as one value, look-ups, sources' health.

What the sources said is written by `server.store.published`. Functions that write take the
connection of a writer's transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, case, or_, select, update

from server.releases.ledger import Ledger, Lookup, Outcome, Reading
from server.store.dialect import upsert
from server.store.published import files, listed_releases
from server.store.tables import lookups, readings, source_health

WAITING_MAX = 64
"""Most look-ups that are handed out at a time."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How a source does.

    Attributes:
        source: Its name.
        state: ``ok`` or ``unreachable``.
        since: Since when it is in this state.
        read_at: When it last answered; None if it never did.
        error: Why it is unreachable.
        told_at: When the operator was told that it is unreachable; None if not yet.
    """

    source: str
    state: str
    since: int
    read_at: int | None = None
    error: str | None = None
    told_at: int | None = None


def load_ledger(conn: Connection) -> Ledger:
    """Everything read so far, as one value."""
    return Ledger(
        readings=[
            Reading(row.source, row.channel, row.version, row.first_seen, row.last_seen)
            for row in conn.execute(select(readings).order_by(readings.c.id))
        ],
        releases=listed_releases(conn),
        artifacts=files(conn),
        lookups=[
            Lookup(row.version, row.asked_at, row.answered_at, row.outcome, row.reason)
            for row in conn.execute(select(lookups))
        ],
    )


def ask(conn: Connection, versions: Iterable[str], now: int) -> None:
    """Wants versions looked up; does nothing for one that waits already."""
    for version in sorted(versions):
        statement = upsert(lookups).values(version=version, asked_at=now, outcome="waiting")
        # Later than its answer, even within one second: else it would not wait.
        later = case((lookups.c.answered_at >= now, lookups.c.answered_at + 1), else_=now)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["version"],
                set_={"asked_at": later},
                where=lookups.c.answered_at >= lookups.c.asked_at,
            )
        )


def waiting(conn: Connection) -> tuple[Lookup, ...]:
    """The look-ups that have no answer, or an older one than the question; oldest first."""
    query = (
        select(lookups)
        .where(or_(lookups.c.answered_at.is_(None), lookups.c.answered_at < lookups.c.asked_at))
        .order_by(lookups.c.asked_at, lookups.c.version)
        .limit(WAITING_MAX)
    )
    return tuple(
        Lookup(row.version, row.asked_at, row.answered_at, row.outcome, row.reason)
        for row in conn.execute(query)
    )


def answer(conn: Connection, version: str, outcome: Outcome, reason: str | None, now: int) -> None:
    """Answers a look-up."""
    at = case((lookups.c.asked_at > now, lookups.c.asked_at), else_=now)
    values = {"outcome": outcome, "reason": reason, "answered_at": at}
    conn.execute(update(lookups).where(lookups.c.version == version).values(**values))


def health(conn: Connection) -> tuple[SourceHealth, ...]:
    """How every source does that was ever tried, by name."""
    rows = conn.execute(select(source_health).order_by(source_health.c.source))
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
        told_at=lasting.told_at if lasting else None,
    )
    _put_health(conn, after)
    return after


def mark_told(conn: Connection, source: str, now: int) -> None:
    """Notes that the operator was told of a source's present state."""
    where = source_health.c.source == source
    conn.execute(update(source_health).where(where).values(told_at=now))


def _health_of(conn: Connection, source: str) -> SourceHealth | None:
    query = select(source_health).where(source_health.c.source == source)
    row = conn.execute(query).mappings().first()
    return SourceHealth(**row) if row else None


def _put_health(conn: Connection, item: SourceHealth) -> None:
    values = {
        "state": item.state,
        "since": item.since,
        "read_at": item.read_at,
        "error": item.error,
        "told_at": item.told_at,
    }
    statement = upsert(source_health).values(source=item.source, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))
