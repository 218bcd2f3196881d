"""Pauses after failures, and the budget of downloads."""

from hypothesis import given
from hypothesis import strategies as st

from server.releases.pauses import (
    DOWNLOADS_MAX,
    FIRST_S,
    LONGEST_S,
    WINDOW_S,
    Budget,
    Pause,
)


def test_pauses_double_up_to_the_longest() -> None:
    """And an answer ends them."""
    pause = Pause()
    lengths = []
    for _ in range(20):
        pause.failed(0, None)
        lengths.append(next(at for at in range(LONGEST_S + 1) if pause.is_over(at)))
    assert lengths[:4] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]
    assert lengths[-1] == LONGEST_S
    pause.succeeded()
    assert pause.is_over(0)


def test_a_wait_that_is_asked_for_is_obeyed() -> None:
    """Also beyond our own longest; a shorter one does not shorten ours."""
    pause = Pause()
    pause.failed(0, 5_000.0)
    assert (pause.is_over(4_999), pause.is_over(5_000)) == (False, True)
    pause = Pause()
    pause.failed(0, 1.0)
    assert (pause.is_over(FIRST_S - 1), pause.is_over(FIRST_S)) == (False, True)


@given(st.lists(st.integers(0, 900), max_size=60))
def test_no_hour_has_more_downloads_than_its_budget(steps: list[int]) -> None:
    """Whatever the rhythm of asking."""
    downloads, now, taken = Budget(DOWNLOADS_MAX), 0, []
    for step in steps:
        now += step
        if downloads.take(now):
            taken.append(now)
    for start in taken:
        within = [at for at in taken if start <= at < start + WINDOW_S]
        assert len(within) <= DOWNLOADS_MAX
