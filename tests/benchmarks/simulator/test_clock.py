"""Holds what time it is in a run."""

import time

from tests.benchmarks.simulator.clock import Clock


def test_time_that_is_not_waited_for_has_passed() -> None:
    """It goes on from there, as real time does."""
    clock = Clock()
    moment = clock() + 1_800
    clock.move_to(moment)
    assert clock() >= moment - 1e-3


def test_time_never_goes_back() -> None:
    """A moment that is over changes nothing."""
    clock = Clock()
    clock.move_to(time.time() - 60)
    assert clock.ahead_s == 0
