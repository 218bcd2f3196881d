"""Whatever is stored otherwise than the judge says is found."""

import pytest
from sqlalchemy import text

from server.store import fleet
from server.store.reproduced import Reproduced, reproduce
from tests.server.shop import BEHIND, DAY, HEAD, Shop, profile

_PAIR = "the verdict on profile 2 in group default "


def _made(shop: Shop, limit: int = 100) -> Reproduced:
    return shop.read(lambda conn: reproduce(conn, shop.current, shop.now, limit))


def _damage(shop: Shop, statement: str, **values: object) -> None:
    shop.write(lambda conn: conn.execute(text(statement), values).close())


@pytest.fixture
def three(shop: Shop) -> Shop:
    """Two machines that follow their verdicts, and one that fell silent."""
    silent = shop.enrol("carla")
    shop.now += 4 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    shop.enrol("anna").tell(profile(HEAD))
    shop.enrol("ben").tell(profile(BEHIND))
    assert silent.id
    return shop


def test_what_the_jobs_wrote_is_what_the_judge_says(three: Shop) -> None:
    """Of every verdict and every machine, with or without something of its own."""
    assert _made(three) == Reproduced(2, 2, 3, 3, 0, ())


def test_a_sample_says_of_how_many_it_is(three: Shop) -> None:
    """One verdict, one exception and one other machine."""
    assert _made(three, limit=1) == Reproduced(1, 2, 2, 3, 0, ())


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            "UPDATE verdicts SET standing = 'match' WHERE profile_id = 2",
            _PAIR + "is stored as match, and the judge says unknown",
        ),
        (
            "UPDATE verdicts SET tag = '0' WHERE profile_id = 2",
            _PAIR + "is stored as unknown, with other findings",
        ),
    ],
)
def test_a_verdict_that_is_not_the_judges_is_named(three: Shop, damage: str, says: str) -> None:
    """With its profile and group, and what differs."""
    _damage(three, damage)
    assert _made(three).wrong == (says,)


def test_a_profile_that_no_rule_can_take_is_named(shop: Shop) -> None:
    """The others are made anew all the same."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    laptop.tell(profile(BEHIND))
    _damage(shop, "UPDATE profiles SET body = :body WHERE id = 1", body=b"{}")
    named = "the verdict on profile 1 in group default"
    assert _made(shop).wrong == (f"{named} cannot be judged: a rule fails at it",)


def test_a_machine_that_stands_otherwise_is_named(three: Shop) -> None:
    """An exception that is none, and one that was missed."""
    (silent,) = three.rows("SELECT id FROM machines WHERE label = 'carla'")
    _damage(three, "UPDATE machines SET exception = NULL WHERE label = 'carla'")
    assert _made(three).wrong == (
        f"machine {silent[0]} is stored as its verdict says, and stands as silent",
    )
    _damage(three, "UPDATE machines SET exception = 'pending' WHERE label = 'carla'")
    assert _made(three).wrong == (
        f"machine {silent[0]} is stored as pending, and stands as silent",
    )


def test_what_is_due_is_left_to_the_jobs(three: Shop) -> None:
    """A server that was down has not judged by the time that passed; that is no mistake."""
    three.now += 30 * DAY
    made = _made(three)
    assert made.wrong == ()
    assert made.due > 0
