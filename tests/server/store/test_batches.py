"""Batches of check-ins: what a batch has time for, and what it leaves for the next."""

import pytest

from agent.wire import Ack
from server.store import batches
from server.store.batches import Answer
from server.store.checkins import Arrival, key_of
from server.store.slices import Slice
from tests.server.shop import BEHIND, HEAD, Laptop, Shop, profile

MINE = profile(HEAD)
OTHER = profile(BEHIND)


def taken(
    shop: Shop, late: list[Arrival], new: list[Arrival], seconds: float
) -> list[Answer | None]:
    """The answers to a batch with so much time for what has to be looked at singly."""
    return shop.write(
        lambda conn: batches.take_all(
            conn, shop.current, late, new, shop.now, interval_s=900, turn=Slice(seconds)
        )
    )


@pytest.fixture
def fleet(shop: Shop) -> list[Laptop]:
    """Machines that checked in before; both profiles are known."""
    laptops = [shop.enrol(each) for each in ("anna", "ben", "carl", "dora")]
    for laptop in laptops:
        laptop.tell(OTHER)
        laptop.tell(MINE)
    return laptops


def says(laptop: Laptop, *, changed: bool) -> Arrival:
    """Its next check-in."""
    message = laptop.message(OTHER if changed else MINE)
    return Arrival(laptop.id, laptop.token, key_of(laptop.token, message), message)


def states(answers: list[Answer | None]) -> list[str | None]:
    """What they were told, in their order."""
    return [each.state if isinstance(each, Ack) else None for each in answers]


def test_unchanged_check_ins_are_answered_however_little_time_there_is(
    shop: Shop, fleet: list[Laptop]
) -> None:
    """Of the others one is; the rest is left as it was, for the next batch."""
    new = [says(each, changed=each.label != "dora") for each in fleet]
    assert states(taken(shop, [], new, 0)) == ["pending", None, None, "match"]
    assert shop.counted() == {"match": 3, "pending": 1}


def test_late_check_ins_go_first_and_each_is_taken_once(shop: Shop, fleet: list[Laptop]) -> None:
    """They are answered before what came since, and counted as any other."""
    anna, ben, carl, dora = (says(each, changed=True) for each in fleet)
    assert states(taken(shop, [anna, ben], [carl, dora], 0)) == ["pending", None, None, None]
    assert states(taken(shop, [ben, carl, dora], [], 3600)) == ["pending"] * 3
    assert shop.counted() == {"pending": 4}
    assert shop.rows("SELECT count(*) FROM machines WHERE numbered = 3") == [(4,)]


def test_one_told_again_is_answered_among_those_that_are_new(
    shop: Shop, fleet: list[Laptop]
) -> None:
    """Also where there is time for nothing singly; and it changes nothing."""
    anna, *others = (says(each, changed=False) for each in fleet)
    assert states(taken(shop, [], [anna], 0)) == ["match"]
    before = shop.rows("SELECT machine_id, seq FROM presence")
    assert states(taken(shop, [], [anna, *others], 0)) == ["match"] * 4
    after = shop.rows("SELECT machine_id, seq FROM presence")
    assert len(set(after) - set(before)) == len(others)
