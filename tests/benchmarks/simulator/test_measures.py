"""Holds what a run counts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.simulator.measures import (
    FLOOR_S,
    GROWTH,
    Histogram,
    Measures,
    Waves,
    series,
    waves,
)

spans = st.floats(FLOOR_S, 3_600)


@given(st.lists(spans, min_size=1, max_size=200), st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_right_within_a_class(seconds: list[float], part: float) -> None:
    """It is what sorting all spans would give, at most 2 % more."""
    histogram = Histogram()
    for each in seconds:
        histogram.add(each)
    exact = sorted(seconds)[math.ceil(part * len(seconds)) - 1]
    assert exact * (1 - 1e-9) <= histogram.quantile(part) <= exact * GROWTH * (1 + 1e-9)
    assert histogram.longest == max(seconds)


def test_no_spans_have_no_quantile() -> None:
    """Nothing is told as taking no time at all."""
    assert Histogram().quantile(0.5) == 0
    assert Histogram().told_ms() == {"p50": 0, "p90": 0, "p99": 0, "max": 0}


def test_an_odd_span_is_counted_in_the_last_class_it_could_be_in() -> None:
    """Neither a clock that stood still nor a day and more breaks the counting."""
    histogram = Histogram()
    for each in (-1.0, 0.0, 1e9):
        histogram.add(each)
    assert histogram.count == 3
    assert histogram.quantile(0.5) <= FLOOR_S
    assert histogram.longest == 1e9


def test_only_what_the_server_owes_is_an_error() -> None:
    """A server that is full says so with 503; one that breaks, or says nothing, does not."""
    measures = Measures(status_errors=1)
    measures.statuses.update({200: 10, 401: 3, 503: 4, 500: 2})
    measures.in_outage["refused"] = 7
    measures.unreached["timeout"] = 5
    assert measures.errors == 2 + 5 + 1


def test_seconds_without_a_check_in_are_told_too() -> None:
    """A series has every second of the run."""
    assert series({0: 3, 2: 5}, 4) == [3, 0, 5, 0]


def test_a_second_wave_is_told_from_the_first() -> None:
    """Both are the most over a tenth of an interval; the second begins when phases are over."""
    counts = [10] * 20 + [0] * 10 + [50] * 2 + [10] * 28 + [30] * 2 + [10] * 18
    assert waves(counts, 20, 30, 20) == Waves(before=10, first=50, second=30)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([], Waves(None, None, None)),
        ([4] * 20, Waves(4, None, None)),
        ([4] * 20 + [0] * 10 + [9] * 30, Waves(4, 9, None)),
    ],
)
def test_a_run_that_is_too_short_tells_no_wave(counts: list[int], told: Waves) -> None:
    """None is no zero."""
    assert waves(counts, 20, 30, 20) == told
