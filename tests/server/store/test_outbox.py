"""The outbox's rows: what is due, who has taken it, how it fares."""

from sqlalchemy import Connection

from server.alerts.rows import HELD, Row
from server.store import outbox as store
from server.store.outbox import OutboxHealth


def _write(conn: Connection, told: str, due_at: int) -> None:
    """A row that is due then."""
    store.insert(conn, Row(0, f"a {told}", told, "{}", created_at=0), due_at)


def test_an_empty_outbox_is_well(conn: Connection) -> None:
    """Nothing waits, nothing fails, nothing was ever sent."""
    assert store.outbox_health(conn) == OutboxHealth(0, 0, 0, None, 0, None)


def test_the_operators_rows_are_due_first(conn: Connection) -> None:
    """Then the oldest; what is not due yet is not among them."""
    for told, due_at in (("healed", 3), ("drifted", 2), ("operator", 4), ("unknown", 99)):
        _write(conn, told, due_at)
    assert [row.told for row in store.due(conn, 10, 9)] == ["operator", "drifted", "healed"]
    assert [row.told for row in store.due(conn, 10, 1)] == ["operator"]


def test_a_leased_row_is_taken_once(conn: Connection) -> None:
    """Until the lease runs out, nobody else gets the row."""
    _write(conn, "drifted", 0)
    _write(conn, "healed", 0)
    first, second = (row.id for row in store.due(conn, 10, 9))
    assert store.lease(conn, [first], 10, 70) == {first}
    assert store.lease(conn, [first, second], 20, 80) == {second}
    assert store.due(conn, 69, 9) == ()
    assert [row.attempts for row in store.due(conn, 70, 9)] == [1]


def test_delivery_settles_the_row_and_what_it_counted(conn: Connection) -> None:
    """One message went, whatever it counted along."""
    for _ in range(3):
        _write(conn, "drifted", 0)
    first, *counted = (row.id for row in store.due(conn, 10, 9))
    store.delivered(conn, first, counted, 10)
    assert store.due(conn, 99, 9) == ()
    assert store.sent_between(conn, 9, 10) == 1
    assert (store.sent_between(conn, 10, 99), store.sent_between(conn, 0, 9)) == (0, 0)


def test_what_is_held_is_still_due(conn: Connection) -> None:
    """Held rows wait for a message that counts them; the operator's are never held."""
    _write(conn, "drifted", 0)
    _write(conn, "operator", 0)
    store.hold_due(conn, 10)
    assert [row.reason for row in store.due(conn, 10, 9)] == [None, HELD]
    store.drop_due(conn, "no destination", 10)
    _write(conn, "drifted", 0)
    store.hold_due(conn, 10)
    assert store.is_due(conn, 10, beyond_held=False)
    assert not store.is_due(conn, 10, beyond_held=True)


def test_a_failed_row_waits_in_its_place_or_steps_aside(conn: Connection) -> None:
    """A passing fault keeps the order; a refusal lets the others go first."""
    _write(conn, "drifted", 0)
    _write(conn, "healed", 1)
    first = store.due(conn, 10, 9)[0].id
    store.lease(conn, [first], 10, 70)
    store.failed(conn, first, [], "503", None)
    assert [row.told for row in store.due(conn, 10, 9)] == ["drifted", "healed"]
    store.failed(conn, first, [], "404", 3_610)
    assert [row.told for row in store.due(conn, 10, 9)] == ["healed"]
    health = store.outbox_health(conn)
    assert (health.waiting, health.failing, health.reason) == (2, 1, "404")


def test_the_latest_row_of_a_topic_is_found_when_settled(conn: Connection) -> None:
    """Whether an incident is open is read off its last row, sent or not."""
    assert store.latest(conn, "a operator") is None
    _write(conn, "operator", 0)
    _write(conn, "operator", 0)
    rows = store.due(conn, 10, 9)
    store.delivered(conn, rows[1].id, [], 10)
    latest = store.latest(conn, "a operator")
    assert latest is not None
    assert latest.id == rows[1].id
