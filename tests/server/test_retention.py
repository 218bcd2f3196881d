"""For how long what is kept: one horizon for each kind, and none for what is kept for ever."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.retention import DAY_S, HOUR_S, Keep, plan
from server.store.pruning import within_hours

NOW = 1_777_000_000


def test_each_kind_has_its_own_days() -> None:
    """Counts in whole hours, activity in whole days: half of one would be a wrong sum."""
    horizons = plan(Keep(), NOW)
    assert len(horizons) == len(fields(Keep))
    assert horizons["history"] == NOW - 400 * DAY_S
    assert horizons["messages"] == NOW - 90 * DAY_S
    assert horizons["shares"] % HOUR_S == horizons["share minutes"] % HOUR_S == 0
    assert horizons["activity"] % DAY_S == 0


@pytest.mark.parametrize("name", [each.name for each in fields(Keep)])
def test_nought_keeps_for_ever(name: str) -> None:
    """And touches no other kind."""
    horizons = plan(replace(Keep(), **{name: 0}), NOW)
    assert len(horizons) == len(fields(Keep)) - 1


@given(st.integers(0, 36_500), st.integers(0, 2**33))
def test_a_horizon_is_a_moment_of_the_past(days: int, now: int) -> None:
    """As far back as is set, and never before time began."""
    horizon = plan(Keep(history=days), now).get("history")
    assert horizon is None or (horizon == now - days * DAY_S and horizon > 0)


@given(st.sets(st.integers(0, 10**4).map(lambda minute: minute * 60)).map(sorted))
def test_of_each_hour_the_last_minute_stays(minutes: list[int]) -> None:
    """And every hour that had one keeps one."""
    gone = set(within_hours(minutes))
    stays = [at for at in minutes if at not in gone]
    last = {at // HOUR_S: at for at in minutes}
    assert stays == sorted(last.values())
