"""Holds that laptops live through an outage as their agents would have."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from agent import digest
from tests.benchmarks import fleets
from tests.benchmarks.simulator import absence, scenario
from tests.benchmarks.simulator.machines import SENDING, Fleet
from tests.benchmarks.simulator.profiles import Profiles

INTERVAL_S = 900
HALF_AN_HOUR_S = 1_800.0


def fleet_of(begins_at: list[float]) -> Fleet:
    """Laptops with one profile, each due at its moment."""
    name = digest.of_bytes(digest.canonical(fleets.profile(0)))
    profiles = Profiles([name], ["tag"])
    fleet = Fleet(len(begins_at), (), profiles, scenario.pace(INTERVAL_S), 0.2)
    fleet.enrol(begins_at, INTERVAL_S)
    return fleet


@given(
    begins_at=st.lists(st.floats(0, 2 * INTERVAL_S), min_size=1, max_size=20),
    lasts=st.floats(0, 7_200),
    seed=st.integers(0, 1_000),
)
def test_nobody_is_due_before_an_outage_ends(
    begins_at: list[float], lasts: float, seed: int
) -> None:
    """Each waits for a moment after it, and living through it again is nothing more."""
    fleet, random = fleet_of(begins_at), Random(seed)  # noqa: S311 - chances, no secrets
    absence.live(fleet, 0.0, lasts, random.random)
    assert all(each.x.state not in SENDING for each in fleet.laptops)
    assert all(each.x.at >= lasts for each in fleet.laptops)
    assert absence.live(fleet, 0.0, lasts, random.random) == 0


def test_one_check_in_is_tried_all_the_time() -> None:
    """An outage draws no new numbers, and what it lasted for is no more to tell."""
    fleet, random = fleet_of([0.0, 100.0]), Random(1)  # noqa: S311 - chances, no secrets
    tries = absence.live(fleet, 0.0, HALF_AN_HOUR_S, random.random)
    assert tries > 4 * len(fleet)
    for each in fleet.laptops:
        assert each.seq == fleets.SEQ + 1
        assert each.sent is not None
        assert each.sent.seq == each.seq
        assert each.acked == 0


def test_a_laptop_that_rests_longer_notices_nothing() -> None:
    """It has nothing to say until the outage is over."""
    fleet = fleet_of([1_000.0])
    before = fleet.laptops[0].x
    assert absence.live(fleet, 0.0, 999.0, Random(1).random) == 0  # noqa: S311 - no secrets
    assert fleet.laptops[0].x == before


def test_what_was_about_to_be_said_is_tried_at_once() -> None:
    """The server went away under those laptops."""
    fleet = fleet_of([0.0])
    fleet.due(0, 0.0, 50.0, 0.5)
    assert absence.live(fleet, 50.0, 51.0, lambda: 0.0) == 1
    assert fleet.laptops[0].x.at == 50.0 + scenario.pace(INTERVAL_S).base_s


def test_laptops_that_lost_their_server_in_step_come_back_out_of_step() -> None:
    """Half an hour later no tenth of an interval has half of them."""
    fleet, random = fleet_of([0.0] * 500), Random(1)  # noqa: S311 - chances, no secrets
    absence.live(fleet, 0.0, HALF_AN_HOUR_S, random.random)
    window_s = INTERVAL_S / 10
    windows = Counter(int((each.x.at - HALF_AN_HOUR_S) / window_s) for each in fleet.laptops)
    assert len(windows) > 5
    assert max(windows.values()) < 250
