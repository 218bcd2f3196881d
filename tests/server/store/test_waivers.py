"""Waivers: given, taken back, ended by themselves, and never renewed in silence."""

from dataclasses import replace
from functools import partial

import pytest

from agent.wire import Build
from server.errors import RequestRefused
from server.store import fleet, waivers
from server.store.waivers import HOLDING_MAX, Given, give, take_back, waivers_of
from server.waivers import WAIVER_MAX_S, Waiver
from tests.server.shop import DAY, NOW, Laptop, Shop, profile

ALTERED = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
ASKED = Waiver("0" * 8, "build-altered", None, "a probe", "anna", NOW, NOW + DAY)


@pytest.fixture
def drifting(shop: Shop) -> Laptop:
    """A laptop with altered bytes."""
    laptop = shop.enrol("ben")
    laptop.tell(ALTERED)
    assert laptop.view().standing == "drift"
    return laptop


def _give(laptop: Laptop, **changed: object) -> Given:
    asked = replace(ASKED, **({"since": laptop.shop.now} | changed))  # type: ignore[arg-type]
    return laptop.shop.write(lambda conn: give(conn, laptop.id, asked))


def _stand(shop: Shop) -> None:
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 100))


def test_a_waiver_permits_until_its_end_and_not_a_second_longer(
    shop: Shop, drifting: Laptop
) -> None:
    """Without anybody doing anything: time alone ends it."""
    _give(drifting)
    _stand(shop)
    assert drifting.view().standing == "exempt"
    assert shop.counted() == {"exempt": 1}
    shop.now = NOW + DAY - 1
    _stand(shop)
    assert drifting.view().standing == "exempt"
    shop.now += 1
    _stand(shop)
    assert drifting.view().standing == "drift"
    assert shop.counted() == {"drift": 1}


def test_people_hear_that_it_drifts_because_a_waiver_ended(shop: Shop, drifting: Laptop) -> None:
    """By itself or by a person: the message says why it is told again."""
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE outbox SET delivered_at = 1").close())
    _give(drifting)
    _stand(shop)
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE outbox SET delivered_at = 1").close())
    shop.now = NOW + DAY
    _stand(shop)
    ((told, body),) = shop.rows("SELECT told, body FROM outbox WHERE delivered_at IS NULL")
    assert told == "drifted"
    assert '"waiver_ended":true' in str(body)


def test_what_is_given_is_shown_with_the_machine(shop: Shop, drifting: Laptop) -> None:
    """Reason, person and end, as long as it holds."""
    given = _give(drifting)
    (shown,) = drifting.view().waivers
    assert (shown.id, shown.reason, shown.person) == (ASKED.id, "a probe", "anna")
    assert shown.until == NOW + DAY
    assert given.label == "ben"
    shop.now = NOW + DAY
    assert drifting.view().waivers == ()


def test_one_that_holds_is_not_given_again(drifting: Laptop) -> None:
    """To hold for longer takes its end and another reason: nothing is renewed in silence."""
    _give(drifting)
    with pytest.raises(RequestRefused) as refused:
        _give(drifting, id="1" * 8, until=NOW + 2 * DAY)
    assert refused.value.status == 409
    assert "waiver 00000000 by anna holds for the same until 2026-" in str(refused.value)
    assert "end 00000000 first" in refused.value.advice
    _give(drifting, id="2" * 8, subject="the npm install")
    assert len(drifting.view().waivers) == 2


def test_one_that_has_ended_may_be_followed_by_another(shop: Shop, drifting: Laptop) -> None:
    """Both are kept."""
    _give(drifting)
    shop.now = NOW + DAY
    _give(drifting, id="1" * 8, until=shop.now + DAY)
    assert [each.id for each in shop.read(lambda conn: waivers_of(conn, drifting.id))] == [
        "0" * 8,
        "1" * 8,
    ]


def test_who_takes_one_back_is_kept_and_the_rest_stays(shop: Shop, drifting: Laptop) -> None:
    """Its end is now; who gave it and why is still told."""
    _give(drifting)
    _stand(shop)
    shop.now += 60
    ended = shop.write(lambda conn: take_back(conn, ASKED.id, "ben", shop.now))
    assert (ended.taken_back_by, ended.waiver.until) == ("ben", NOW + 60)
    _stand(shop)
    assert drifting.view().standing == "drift"
    (kept,) = shop.read(waivers.page)
    assert kept == ended
    assert (kept.waiver.person, kept.waiver.reason) == ("anna", "a probe")
    assert shop.read(lambda conn: waivers.page(conn, holding_at=shop.now)) == []


def test_one_that_has_ended_is_not_taken_back(shop: Shop, drifting: Laptop) -> None:
    """Its end would move: what was is not written anew."""
    _give(drifting)
    shop.now = NOW + DAY
    with pytest.raises(RequestRefused) as refused:
        shop.write(lambda conn: take_back(conn, ASKED.id, "ben", shop.now))
    assert refused.value.status == 409
    with pytest.raises(RequestRefused) as unknown:
        shop.write(lambda conn: take_back(conn, "f" * 8, "ben", shop.now))
    assert unknown.value.status == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": "build-pretty"}, "code"),
        ({"reason": " "}, "reason"),
        ({"reason": "one\ntwo"}, "reason"),
        ({"person": ""}, "person"),
        ({"subject": "x" * 201}, "subject"),
        ({"until": NOW}, "until"),
        ({"until": NOW + WAIVER_MAX_S + 1}, "until"),
    ],
)
def test_a_waiver_needs_a_rule_a_person_a_reason_and_a_near_end(
    drifting: Laptop, changed: dict[str, object], field: str
) -> None:
    """The refusal says which of them is wrong."""
    with pytest.raises(RequestRefused) as refused:
        _give(drifting, **changed)
    assert (refused.value.status, refused.value.path) == (422, f"$.{field}")
    assert drifting.view().waivers == ()


def test_the_longest_waiver_can_be_given(drifting: Laptop) -> None:
    """To the second."""
    assert _give(drifting, until=NOW + WAIVER_MAX_S).waiver.holds(NOW + WAIVER_MAX_S - 1)


def test_who_left_gets_no_waiver(shop: Shop, drifting: Laptop) -> None:
    """Nor does a machine that never was."""
    shop.write(lambda conn: fleet.leave(conn, drifting.id, shop.now))
    with pytest.raises(RequestRefused) as refused:
        _give(drifting)
    assert refused.value.status == 409
    with pytest.raises(RequestRefused) as unknown:
        shop.write(lambda conn: give(conn, "nobody", ASKED))
    assert unknown.value.status == 404


def test_who_left_stays_as_it_was_when_its_waiver_is_taken_back(
    shop: Shop, drifting: Laptop
) -> None:
    """What held for it when it left is told of it from then on."""
    _give(drifting)
    _stand(shop)
    shop.write(lambda conn: fleet.leave(conn, drifting.id, shop.now))
    left = "SELECT exception, stand_tag, due_at FROM machines"
    before = shop.rows(left)
    shop.now += 60
    shop.write(lambda conn: take_back(conn, ASKED.id, "ben", shop.now))
    _stand(shop)
    assert shop.rows(left) == before


def test_a_machine_has_room_for_so_many(shop: Shop, drifting: Laptop) -> None:
    """Whoever wants more wants none of its findings told."""
    for number in range(HOLDING_MAX):
        _give(drifting, id=f"{number:08}", subject=f"install {number}")
    with pytest.raises(RequestRefused) as refused:
        _give(drifting, id="f" * 8)
    assert refused.value.status == 409
    assert shop.read(lambda conn: waivers.holding(conn, [drifting.id, "x"], shop.now)) == {
        drifting.id: HOLDING_MAX
    }


def test_waivers_are_told_page_by_page(shop: Shop, drifting: Laptop) -> None:
    """In the order of their ids, each once, of one machine if that is asked."""
    other = shop.enrol("carl")
    for number in range(5):
        _give(drifting if number % 2 else other, id=f"{number:08}", subject=f"copy {number}")
    pages = [
        shop.read(partial(waivers.page, after=after, limit=2))
        for after in ("", f"{1:08}", f"{3:08}", f"{4:08}")
    ]
    seen = [[each.waiver.id for each in page] for page in pages]
    assert seen == [[f"{0:08}", f"{1:08}"], [f"{2:08}", f"{3:08}"], [f"{4:08}"], []]
    mine = shop.read(lambda conn: waivers.page(conn, machine_id=drifting.id))
    assert [each.label for each in mine] == ["ben", "ben"]


def test_a_forgotten_machine_takes_its_waivers_along(shop: Shop, drifting: Laptop) -> None:
    """As if it had never been."""
    _give(drifting)
    shop.write(lambda conn: fleet.forget(conn, drifting.id, shop.now))
    assert shop.rows("SELECT * FROM waivers") == []
