"""How long a pointer may stand still: ordinary weeks are calm, a frozen mirror is not."""

from hypothesis import given
from hypothesis import strategies as st

from server.releases.cadence import (
    DAY_S,
    DEFAULTS_S,
    ENOUGH,
    LONGEST_S,
    RECENT,
    SHORTEST_S,
    intervals,
    limit_s,
)

HOUR = 3_600
_pasts = st.lists(st.integers(1, 60 * DAY_S), max_size=90)

# facts 2.8, 2026: median 23 h, p10 6 h, p90 67 to 71 h, the longest of a quarter 4 to 10 days.
ORDINARY = [6, 9, 15, 20, 22, 23, 24, 26, 48, 70] * 6


def test_an_ordinary_past_allows_an_ordinary_quarters_longest_pause() -> None:
    """Four days and a half are calm, ten are not."""
    limit = limit_s("latest", [hours * HOUR for hours in ORDINARY])
    assert limit is not None
    assert 4.4 * DAY_S < limit < 10 * DAY_S


def test_a_pause_that_was_lived_through_is_no_longer_unlikely() -> None:
    """As long as it is among the recent ones."""
    past = [hours * HOUR for hours in ORDINARY]
    pause = 12 * DAY_S
    assert limit_s("latest", [*past, pause]) == pause
    assert limit_s("latest", [*past, pause, *past]) == limit_s("latest", past)


def test_without_a_past_a_stated_default_holds() -> None:
    """For the channels that laptops are judged by; of others nothing is known."""
    few = [HOUR] * (ENOUGH - 1)
    assert limit_s("latest", few) == DEFAULTS_S["latest"]
    assert limit_s("stable", []) == DEFAULTS_S["stable"]
    assert limit_s("next", few) is None
    assert limit_s("next", [HOUR] * ENOUGH) == SHORTEST_S


@given(_pasts)
def test_the_limit_lies_within_its_bounds_and_above_its_recent_past(past: list[int]) -> None:
    """No past allows nothing, none excuses everything."""
    limit = limit_s("next", past)
    assert (limit is None) == (len(past) < ENOUGH)
    if limit is not None:
        assert SHORTEST_S <= limit <= LONGEST_S
        assert limit >= min(LONGEST_S, max(past[-RECENT:]))


@given(st.lists(st.integers(0, 10**6)))
def test_intervals_are_positive_and_add_up(moments: list[int]) -> None:
    """Stamps that are not later than one before them are passed over."""
    found = intervals(moments)
    assert all(each > 0 for each in found)
    assert sum(found) == (max(moments) - moments[0] if moments else 0)
