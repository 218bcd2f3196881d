"""What is wrong with the sources, as rows: since when, and whether the operator was told.

The one way from a condition to a message: a row that is new and old enough opens an incident,
and the last row of an incident that goes ends it, in the same transaction as the row itself.
All functions that write take the connection of a writer's transaction.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select, update

from server.alerts.outbox import end_operator, tell_operator
from server.releases.health import SEEN, Condition
from server.store.dialect import upsert
from server.store.tables import conditions


def load(conn: Connection) -> tuple[Condition, ...]:
    """Every condition that holds, the oldest first."""
    query = select(conditions).order_by(conditions.c.since, conditions.c.topic)
    return tuple(Condition(row.topic, row.kind, row.since, row.text) for row in conn.execute(query))


def reconcile(conn: Connection, found: Iterable[Condition], now: int) -> None:
    """Makes what is seen at one look (`health.conditions`) what holds.

    Args:
        conn: The transaction.
        found: Everything that was seen.
        now: The server's clock.
    """
    present = {each.topic: each for each in found}
    known = {each.topic: each for each in load(conn)}
    for topic, gone in known.items():
        if gone.kind in SEEN and topic not in present:
            _end(conn, gone, now)
    told = _told(conn)
    for topic, condition in present.items():
        if known.get(topic) != condition:
            _put(conn, condition)
        if told.get(topic) is None and now >= condition.told_from:
            _tell(conn, condition, now)


def note(conn: Connection, condition: Condition, now: int) -> None:
    """Keeps what was noticed once, since when it was first noticed, and tells it."""
    known = next((each for each in load(conn) if each.topic == condition.topic), None)
    if known is None:
        _put(conn, condition)
        _tell(conn, condition, now)


def settle(conn: Connection, topic: str, now: int) -> None:
    """Ends what was noticed once; nothing if it does not hold."""
    known = next((each for each in load(conn) if each.topic == topic), None)
    if known is not None:
        _end(conn, known, now)


def _told(conn: Connection) -> Mapping[str, int | None]:
    rows = conn.execute(select(conditions.c.topic, conditions.c.told_at))
    return {row.topic: row.told_at for row in rows}


def _put(conn: Connection, condition: Condition) -> None:
    values = {"kind": condition.kind, "since": condition.since, "text": condition.text}
    statement = upsert(conditions).values(topic=condition.topic, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["topic"], set_=values))


def _tell(conn: Connection, condition: Condition, now: int) -> None:
    tell_operator(conn, condition.incident, condition.text, now)
    where = conditions.c.topic == condition.topic
    conn.execute(update(conditions).where(where).values(told_at=now))


def _end(conn: Connection, condition: Condition, now: int) -> None:
    conn.execute(delete(conditions).where(conditions.c.topic == condition.topic))
    if all(each.incident != condition.incident for each in load(conn)):
        end_operator(conn, condition.incident, condition.over, now)
