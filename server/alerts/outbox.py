"""Writes what people will be told, in the transaction that caused it.

Nothing is sent from here: `server.alerts.sender` does that later. A change that is taken
back before anybody took its row tells nothing: a machine that drifted and healed drops
the first message and writes no second one. A fleet's changes are only added up; both
words are told, since a row does not know its single machines.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from server.alerts import bodies
from server.alerts.bodies import Changed, Incident
from server.alerts.rows import Row
from server.store import outbox as store
from server.transitions import Told, Transition, told_as

_TAKES_BACK: Mapping[Told, Told] = MappingProxyType({"drifted": "healed", "healed": "drifted"})


def tell(conn: Connection, change: Transition, now: int | None = None) -> None:
    """Writes or joins the outbox row for one change, or nothing (`told_as`).

    Args:
        conn: The transaction in which the change and its row in ``transitions`` are written.
        change: What changed.
        now: The server's clock, where the change is dated earlier.
    """
    tell_all(conn, (change,), now)


def tell_all(conn: Connection, changes: Iterable[Transition], now: int | None = None) -> None:
    """As `tell` for many changes, with at most two statements for each fleet topic.

    Args:
        conn: The transaction in which the changes are written.
        changes: In the order in which they happened.
        now: The server's clock, where changes are dated earlier.
    """
    fleet: dict[str, Changed] = {}
    for change in changes:
        told = told_as(change)
        if change.kind == "machine":
            _tell_machine(conn, change, told, change.at if now is None else now)
        elif told is not None:
            topic, body = bodies.topic(change, told), bodies.changed(change, told)
            fleet[topic] = bodies.join(fleet[topic], body) if topic in fleet else body
    for topic, body in fleet.items():
        _put(conn, topic, body, body.last_at if now is None else now)


def _tell_machine(conn: Connection, change: Transition, told: Told | None, now: int) -> None:
    if told is None and change.before != "unknown":
        return
    topic = bodies.topic(change, told)
    waiting = {row.told: row for row in store.unclaimed(conn, topic)}
    if change.after != "unknown" and (row := waiting.get("unknown")):
        store.drop(conn, row, "no longer unknown", now)
    if told is None:
        return
    taken_back = waiting.get(_TAKES_BACK.get(told, ""))
    if taken_back and store.drop(conn, taken_back, "taken back before it was told", now):
        return
    _put(conn, topic, bodies.changed(change, told), now)


def _put(conn: Connection, topic: str, body: Changed, now: int) -> None:
    for row in store.unclaimed(conn, topic):
        if row.told != body.told or not bodies.joins(row.created_at, body):
            continue
        joined = bodies.join(bodies.decode_changed(row.body), body)
        if store.amend(conn, row, bodies.encode(joined)):
            return
    row = Row(0, topic, body.told, bodies.encode(body), created_at=now)
    store.insert(conn, row, bodies.due_at(body, now))


def tell_operator(conn: Connection, topic: str, text: str, now: int) -> None:
    """Opens an incident: told once, however often this is called until `end_operator`.

    Args:
        conn: The transaction.
        topic: What the incident is about, stable while it lasts: ``source npm``.
        text: One or two sentences, without secrets.
        now: The server's clock.
    """
    if not _is_open(conn, topic):
        _put_incident(conn, topic, Incident(text[: bodies.TEXT_MAX_CHARS], now))


def end_operator(conn: Connection, topic: str, text: str, now: int) -> None:
    """Ends an incident and tells so; nothing if none is open.

    Args:
        conn: The transaction.
        topic: As in `tell_operator`.
        text: One sentence that says what holds now.
        now: The server's clock.
    """
    if _is_open(conn, topic):
        _put_incident(conn, topic, Incident(text[: bodies.TEXT_MAX_CHARS], now, over=True))


def _is_open(conn: Connection, topic: str) -> bool:
    row = store.latest(conn, f"operator {topic}")
    return row is not None and not bodies.decode_incident(row.body).over


def _put_incident(conn: Connection, topic: str, incident: Incident) -> None:
    row = Row(0, f"operator {topic}", "operator", bodies.encode(incident), incident.at)
    store.insert(conn, row, due_at=incident.at)
