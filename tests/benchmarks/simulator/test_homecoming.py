"""Holds who came back, and what a second wave would look like."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.simulator.homecoming import Homecoming

INTERVAL_S = 100


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1_000)), max_size=60))
def test_each_laptop_comes_back_once(rests: list[tuple[int, float]]) -> None:
    """All later rests are those of a fleet that is there."""
    home = Homecoming(10, 0.0, INTERVAL_S)
    for index, now in rests:
        home.rested(index, now, now + INTERVAL_S)
    back = {index for index, _ in rests}
    assert home.missing == 10 - len(back)
    assert home.is_over == (len(back) == 10)
    assert home.nexts.total() == home.returned.total() == len(back)


def test_a_fleet_that_is_spread_makes_no_wave() -> None:
    """Also a small one, whose windows differ by chance."""
    for machines in (20, 300, 20_000):
        random = Random(machines)  # noqa: S311 - chances, no secrets
        home = Homecoming(machines, 0.0, INTERVAL_S)
        for index in range(machines):
            home.rested(index, 1.0, random.random() * INTERVAL_S)
        assert not home.is_second_wave, (machines, home.nexts)


def test_a_fleet_that_comes_again_at_once_makes_a_wave() -> None:
    """The fullest window has ten times what a steady one has."""
    home = Homecoming(300, 50.0, INTERVAL_S)
    for index in range(300):
        home.rested(index, 51.0 + index / 30, 155.0)
    assert home.wave == 10
    assert home.is_second_wave


def test_laptops_that_were_turned_away_are_followed_until_they_rest() -> None:
    """The first 503 counts, and one that never came again is told."""
    home = Homecoming(3, 0.0, INTERVAL_S)
    home.turned_away(0, 10.0)
    home.turned_away(0, 20.0)
    home.turned_away(1, 10.0)
    home.rested(0, 40.0, 140.0)
    home.rested(2, 40.0, 140.0)
    assert home.waited.longest == 30
    assert home.waited.count == 1
    assert home.still_away == 1
    assert home.lasted_s == 40
