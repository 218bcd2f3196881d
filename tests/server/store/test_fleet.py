"""Silence, leaving, being forgotten; and what people hear of a machine that comes back."""

from agent.wire import Build
from server.store import fleet
from tests.server.shop import BEHIND, DAY, HEAD, Shop, ledger, profile

MINE = profile(HEAD)
OTHER = profile(BEHIND)


def silence(shop: Shop, limit: int = 100) -> int:
    """Looks at what is due."""
    return shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, limit))


def heard(shop: Shop) -> list[object]:
    """What people will be told, in order, whoever it is about."""
    return [row[0] for row in shop.rows("SELECT told FROM outbox ORDER BY id")]


def test_a_machine_falls_silent_when_it_says_nothing_for_long(shop: Shop) -> None:
    """Exactly at the end of the time that its policy gives it."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.now += 3 * DAY - 1
    assert silence(shop) == 0
    shop.now += 1
    assert silence(shop) == 1
    assert laptop.view().standing == "silent"
    assert laptop.view().since == shop.now
    assert shop.counted() == {"silent": 1}
    assert silence(shop) == 0


def test_a_timer_that_rings_for_a_machine_that_spoke_is_set_anew(shop: Shop) -> None:
    """It is lazy: a check-in does not move it, the next look does."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.now += DAY
    laptop.send(laptop.message(MINE))
    shop.now += 2 * DAY
    assert silence(shop) == 1
    assert shop.counted() == {"match": 1}
    assert shop.rows("SELECT due_at FROM machines") == [(shop.now + DAY,)]
    assert laptop.send(laptop.message(MINE)).state == "match"


def test_silence_is_looked_at_in_slices(shop: Shop) -> None:
    """So that a whole fleet that falls silent does not hold the writer."""
    for number in range(5):
        shop.enrol(f"laptop-{number}").tell(MINE)
    shop.now += 3 * DAY
    assert [silence(shop, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert shop.counted() == {"silent": 5}


def test_a_silent_machine_is_not_counted_with_its_verdict(shop: Shop) -> None:
    """When the verdict changes, it does not; its standing stays silent."""
    first, second = shop.enrol("anna"), shop.enrol("ben")
    first.tell(MINE)
    second.tell(MINE)
    shop.now += 2 * DAY
    second.send(second.message(MINE))
    shop.now += DAY
    silence(shop)
    shop.current.ledger = ledger(BEHIND, shop.now, shop.now)
    shop.judge_again()
    assert shop.counted() == {"silent": 1, "pending": 1}
    assert shop.rows("SELECT machines FROM transitions WHERE kind = 'fleet'") == [(1,)]


def test_who_matched_before_its_silence_and_drifts_after_it_is_told(shop: Shop) -> None:
    """The verdict changed while nobody with it was heard of: it is news for this machine."""
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    shop.current.ledger = ledger(HEAD, read_at=shop.now + 3 * DAY)
    shop.now += 3 * DAY
    silence(shop)
    shop.judge_again()
    assert heard(shop) == []
    laptop.send(laptop.message(OTHER))
    assert heard(shop) == ["drifted"]


def test_who_drifted_before_its_silence_is_not_told_again(shop: Shop) -> None:
    """Silence ends nothing; only when it matches again, that is told."""
    laptop = shop.enrol("anna")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    laptop.tell(altered)
    shop.enrol("ben").tell(MINE)
    assert heard(shop) == ["drifted"]
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE outbox SET delivered_at = 1").close())
    shop.current.ledger = ledger(read_at=shop.now + 9 * DAY)
    shop.now += 3 * DAY
    silence(shop)
    laptop.send(laptop.message(altered))
    assert heard(shop) == ["drifted"]
    shop.now += 3 * DAY
    silence(shop)
    laptop.send(laptop.message(MINE))
    assert heard(shop) == ["drifted", "healed"]


def test_a_machine_that_leaves_is_counted_apart(shop: Shop) -> None:
    """Once; its history stays."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    assert shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    assert not shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    assert shop.counted() == {"left": 1}
    shop.now += 9 * DAY
    assert silence(shop) == 0
    assert shop.rows("SELECT count(*) FROM assignments") == [(1,)]


def test_a_forgotten_machine_leaves_no_row(shop: Shop) -> None:
    """In no table, by id, label or token; what others share with it stays."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    laptop.tell(MINE)
    other.tell(MINE)
    laptop.send(laptop.message("sha256:" + "9" * 64))
    assert shop.write(lambda conn: fleet.forget(conn, laptop.id, shop.now))
    assert not shop.write(lambda conn: fleet.forget(conn, laptop.id, shop.now))
    assert shop.counted() == {"match": 1}
    for table in ("machines", "presence", "wanted", "assignments", "transitions", "profiles"):
        rows = shop.rows(f"SELECT * FROM {table}")  # noqa: S608 - our own names
        assert laptop.id not in str(rows), table
        assert "anna" not in str(rows), table
    assert other.view().standing == "match"
