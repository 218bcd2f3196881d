"""The outbox's rows: written with the change that they tell, taken by a lease, then settled.

A row is *open* until it is delivered or dropped, *unclaimed* as long as nobody ever took
it, *free* when no lease holds it. Every step is an UPDATE that repeats in its WHERE what
it was decided upon; no row changed means that somebody else was first. All functions take
the connection of the caller's transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from server.alerts.rows import HELD, NO_DESTINATION, Row
from server.store.tables import outbox

_Columns = tuple[int, str, str, str, int, int, str | None]

_OPEN = and_(outbox.c.delivered_at.is_(None), outbox.c.dropped_at.is_(None))
_UNCLAIMED = and_(_OPEN, outbox.c.lease_until.is_(None), outbox.c.attempts == 0)


@dataclass(frozen=True)
class OutboxHealth:
    """How the alerts fare, for the status page.

    Attributes:
        waiting: Open rows, those of a change that must last an hour first included.
        held: Of these: beyond the hourly limit, to be counted in the next message.
        failing: Of these: tried, and not delivered.
        reason: Why the latest of those failed; None if none does.
        untold: Rows that nothing was sent for since no destination is configured.
        delivered_at: When a message was last delivered; None if never.
    """

    waiting: int
    held: int
    failing: int
    reason: str | None
    untold: int
    delivered_at: int | None


def insert(conn: Connection, row: Row, due_at: int) -> None:
    """Writes a new row; its `id` is not used, the database numbers it."""
    conn.execute(
        outbox.insert().values(
            topic=row.topic,
            told=row.told,
            body=row.body,
            created_at=row.created_at,
            due_at=due_at,
        )
    )


def unclaimed(conn: Connection, topic: str) -> tuple[Row, ...]:
    """The unclaimed rows of a topic, oldest first."""
    return _rows(conn, _read().where(outbox.c.topic == topic, _UNCLAIMED).order_by(outbox.c.id))


def latest(conn: Connection, topic: str) -> Row | None:
    """The last row written for a topic, settled or not."""
    query = _read().where(outbox.c.topic == topic).order_by(outbox.c.id.desc()).limit(1)
    return next(iter(_rows(conn, query)), None)


def amend(conn: Connection, row: Row, body: str) -> bool:
    """Replaces the body of an unclaimed row; False if it was taken or changed meanwhile."""
    statement = outbox.update().where(outbox.c.id == row.id, outbox.c.body == row.body, _UNCLAIMED)
    return conn.execute(statement.values(body=body)).rowcount == 1


def drop(conn: Connection, row: Row, reason: str, now: int) -> bool:
    """Settles an unclaimed row without sending it; False if it was taken meanwhile."""
    statement = outbox.update().where(outbox.c.id == row.id, _UNCLAIMED)
    return conn.execute(statement.values(dropped_at=now, reason=reason)).rowcount == 1


def postpone(conn: Connection, row: Row, due_at: int) -> None:
    """Puts an unclaimed row off; nothing if it was taken meanwhile."""
    statement = outbox.update().where(outbox.c.id == row.id, _UNCLAIMED)
    conn.execute(statement.values(due_at=due_at))


def drop_due(conn: Connection, reason: str, now: int) -> int:
    """Settles all that is due without sending it; returns how many rows."""
    statement = outbox.update().where(_due(now))
    return conn.execute(statement.values(dropped_at=now, reason=reason)).rowcount


def due(conn: Connection, now: int, limit: int) -> tuple[Row, ...]:
    """Free rows that are due: the operator's first, then oldest first."""
    order = (outbox.c.told != "operator", outbox.c.due_at, outbox.c.id)
    return _rows(conn, _read().where(_due(now)).order_by(*order).limit(limit))


def due_unknown(conn: Connection, now: int, limit: int) -> tuple[Row, ...]:
    """Free rows that are due and tell `unknown`, never taken before."""
    query = _read().where(_due(now), outbox.c.told == "unknown", outbox.c.attempts == 0)
    return _rows(conn, query.order_by(outbox.c.due_at, outbox.c.id).limit(limit))


def is_due(conn: Connection, now: int, *, beyond_held: bool) -> bool:
    """Whether anything is due; with `beyond_held`, anything but the rows held back."""
    query = select(outbox.c.id).where(_due(now))
    if beyond_held:
        query = query.where(_not_held())
    return conn.execute(query.limit(1)).first() is not None


def hold_due(conn: Connection, now: int) -> None:
    """Marks what is due, the operator's apart, to be counted in the next message."""
    statement = outbox.update().where(
        _due(now), outbox.c.told != "operator", outbox.c.reason.is_(None)
    )
    conn.execute(statement.values(reason=HELD))


def lease(conn: Connection, ids: Collection[int], now: int, until: int) -> frozenset[int]:
    """Takes rows until then; returns those that were still due and free."""
    statement = outbox.update().where(outbox.c.id.in_(ids), _due(now))
    taken = statement.values(lease_until=until, attempts=outbox.c.attempts + 1)
    return frozenset(conn.execute(taken.returning(outbox.c.id)).scalars())


def delivered(conn: Connection, row_id: int, counted: Collection[int], now: int) -> None:
    """Settles a row that was sent, and those that its message only counted."""
    done = outbox.update().values(delivered_at=now, lease_until=None, reason=None)
    conn.execute(done.where(outbox.c.id == row_id))
    if counted:
        conn.execute(done.values(reason=HELD).where(outbox.c.id.in_(counted)))


def failed(
    conn: Connection, row_id: int, counted: Collection[int], reason: str, due_at: int | None
) -> None:
    """Frees rows whose message was not delivered.

    Args:
        conn: The transaction.
        row_id: The row that was told.
        counted: Rows that its message only counted.
        reason: Why not, for the status page.
        due_at: When to try this row again; None leaves it where it is in the order.
    """
    free = outbox.update().values(lease_until=None)
    told = (
        free.values(reason=reason) if due_at is None else free.values(reason=reason, due_at=due_at)
    )
    conn.execute(told.where(outbox.c.id == row_id))
    if counted:
        conn.execute(free.where(outbox.c.id.in_(counted)))


def sent_between(conn: Connection, since: int, now: int) -> int:
    """How many messages were delivered after `since` and by `now`, the operator's not counted.

    What a clock that ran ahead delivered later than now silences nobody until then.
    """
    query = select(func.count()).where(
        outbox.c.delivered_at > since,
        outbox.c.delivered_at <= now,
        outbox.c.told != "operator",
        outbox.c.reason.is_(None),
    )
    return conn.execute(query).scalar_one()


def outbox_health(conn: Connection) -> OutboxHealth:
    """How the alerts fare."""
    held = _count(conn, _OPEN, outbox.c.reason == HELD)
    failing = and_(_OPEN, outbox.c.attempts > 0, _not_held(), outbox.c.reason.is_not(None))
    worst = select(outbox.c.reason).where(failing).order_by(outbox.c.id.desc()).limit(1)
    return OutboxHealth(
        waiting=_count(conn, _OPEN),
        held=held,
        failing=_count(conn, failing),
        reason=conn.execute(worst).scalar_one_or_none(),
        untold=_count(conn, outbox.c.dropped_at.is_not(None), outbox.c.reason == NO_DESTINATION),
        delivered_at=conn.execute(select(func.max(outbox.c.delivered_at))).scalar_one(),
    )


def _count(conn: Connection, *where: ColumnElement[bool]) -> int:
    return conn.execute(select(func.count()).select_from(outbox).where(*where)).scalar_one()


def _due(now: int) -> ColumnElement[bool]:
    free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    return and_(_OPEN, outbox.c.due_at <= now, free)


def _not_held() -> ColumnElement[bool]:
    return or_(outbox.c.reason.is_(None), outbox.c.reason != HELD)


def _read() -> Select[_Columns]:
    columns = outbox.c
    return select(
        columns.id,
        columns.topic,
        columns.told,
        columns.body,
        columns.created_at,
        columns.attempts,
        columns.reason,
    )


def _rows(conn: Connection, query: Select[_Columns]) -> tuple[Row, ...]:
    return tuple(Row(**row) for row in conn.execute(query).mappings())
