"""When this server listened, written down: one row per span without a gap."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from server.store.tables import listened
from server.uptime import GAP_S, Span

SPANS_MAX = 500
"""Most spans that are remembered, the latest ones."""

SET_BACK_S = 60
"""A clock that shows so many seconds less than it did was set back: less is only put right."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What noting found.

    Attributes:
        spans: All that are remembered now, oldest first.
        was_set_back: The clock shows less than when this was last noted.
    """

    spans: Sequence[Span]
    was_set_back: bool


def note(conn: Connection, now: int) -> Noted:
    """Notes that the server listens, in the writer's transaction."""
    last = conn.execute(select(listened).order_by(listened.c.id.desc()).limit(1)).first()
    was_set_back = last is not None and now < last.last_at - SET_BACK_S
    if was_set_back:
        # What was noted of a time that is yet to come was the clock's mistake.
        conn.execute(delete(listened).where(listened.c.began_at > now))
        conn.execute(update(listened).where(listened.c.last_at > now).values(last_at=now))
        last = conn.execute(select(listened).order_by(listened.c.id.desc()).limit(1)).first()
    if last is None or now - last.last_at > GAP_S:
        conn.execute(insert(listened).values(began_at=now, last_at=now))
    elif now > last.last_at:
        conn.execute(update(listened).where(listened.c.id == last.id).values(last_at=now))
    return Noted(load(conn), was_set_back)


def load(conn: Connection) -> tuple[Span, ...]:
    """The latest spans, oldest first."""
    columns = (listened.c.began_at, listened.c.last_at)
    rows = conn.execute(select(*columns).order_by(listened.c.id.desc()).limit(SPANS_MAX)).all()
    return tuple(Span(*row) for row in reversed(rows))
