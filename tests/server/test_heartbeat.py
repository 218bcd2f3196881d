"""A server that was stopped, asleep or set back: whom it takes for silent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.heartbeat import Heartbeat
from server.store import fleet, uptime
from server.uptime import NOTED_EVERY_S, Span
from tests.server.shop import DAY, HEAD, NOW, Laptop, Shop, profile

MINE = profile(HEAD)
SILENT_AFTER = 3 * DAY


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def heart(shop: Shop) -> Heartbeat:
    """That of a server that starts on this database now."""
    return Heartbeat(shop.writer, shop.current, shop.clock)


def told(shop: Shop) -> Laptop:
    """A machine that has said what it has."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    return laptop


def looked_at(shop: Shop) -> int:
    """Stands whoever is due; how many that are."""
    shop.ring()
    return shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 99))


def go_on(shop: Shop, beating: Heartbeat, seconds: int) -> None:
    """Time passes for a server that listens."""
    for _ in range(seconds // NOTED_EVERY_S):
        shop.now += NOTED_EVERY_S
        beating.beat()


def test_a_server_that_was_stopped_for_days_calls_nobody_silent_at_its_start(shop: Shop) -> None:
    """A machine is silent when the rest of its time has passed while somebody listened."""
    told(shop)
    first = heart(shop)
    first.beat()
    go_on(shop, first, 3_600)
    shop.now += 5 * DAY
    again = heart(shop)
    assert again.beat() is False
    assert looked_at(shop) == 1
    assert shop.counted() == {"match": 1}
    assert shop.rows("SELECT due_at FROM machines") == [(NOW + 5 * DAY + SILENT_AFTER,)]
    shop.now = NOW + 5 * DAY + SILENT_AFTER - 1
    shop.current.listened = (Span(NOW, NOW + 3_600), Span(NOW + 3_600 + 5 * DAY, shop.now))
    assert looked_at(shop) == 0
    shop.now += 1
    assert looked_at(shop) == 1
    assert shop.counted() == {"silent": 1}


def test_a_server_that_slept_notices_by_itself(shop: Shop) -> None:
    """The same process beats again after days: it listened as little."""
    told(shop)
    beating = heart(shop)
    beating.beat()
    shop.now += 5 * DAY
    beating.beat()
    looked_at(shop)
    assert shop.counted() == {"match": 1}


def test_who_listens_without_a_stop_notes_one_span(shop: Shop) -> None:
    """Written once a minute, however often it beats."""
    beating = heart(shop)
    for _ in range(200):
        beating.beat()
        shop.now += 1
    assert shop.read(uptime.load) == (Span(NOW, NOW + 180),)
    assert shop.current.listened == (Span(NOW, NOW + 180),)


def test_timers_ring_in_time_after_the_clock_was_set_back(shop: Shop) -> None:
    """Everything is looked at again, and what was noted of the future is forgotten."""
    shop.now = NOW + 30 * DAY
    beating = heart(shop)
    beating.beat()
    told(shop)
    shop.now = NOW
    assert beating.beat() is True
    assert beating.beat() is False
    assert shop.read(uptime.load) == (Span(NOW, NOW),)
    assert looked_at(shop) == 1
    assert shop.rows("SELECT due_at FROM machines") == [(NOW + SILENT_AFTER,)]
    assert shop.rows("SELECT last_seen FROM presence") == [(NOW,)]


def test_a_start_with_a_clock_that_was_set_back_is_noticed(shop: Shop) -> None:
    """By what the process before it noted; a second's correction is none."""
    heart(shop).beat()
    shop.now -= 2
    assert heart(shop).beat() is False
    shop.now -= DAY
    assert heart(shop).beat() is True
