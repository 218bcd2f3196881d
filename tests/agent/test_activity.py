"""Seconds and starts of running sessions, by example and by property."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import activity
from agent.activity import DAY_S, Counting, Seen
from agent.host import Process
from agent.wire import Activity

T = 60
GAP_S = 5 * T
DAY = 20_779
NOON = DAY * DAY_S + DAY_S // 2
BUILD, OTHER = "a" * 64, "b" * 64


def session(
    pid: int = 1, started_at: int = NOON, surface: str = "terminal", build: str | None = BUILD
) -> Seen:
    """A running session."""
    return Seen(Process(pid, f"t{started_at}"), started_at, surface, build)


@dataclass(frozen=True)
class Run:
    """A session from its start to its end."""

    seen: Seen
    until: int

    @property
    def began(self) -> int:
        """When; of these sessions it is always told."""
        assert self.seen.started_at is not None
        return self.seen.started_at

    def runs_at(self, at: int) -> bool:
        """Whether a look at that time sees it."""
        return self.began <= at < self.until


def looked(runs: Iterable[Run], looks: Iterable[int]) -> tuple[Activity, ...]:
    """What is counted of some sessions by looks at some times."""
    state = Counting()
    counts: list[Activity] = []
    for at in looks:
        running = [run.seen for run in runs if run.runs_at(at)]
        state, used = activity.count(state, running, at, gap_s=GAP_S)
        counts += used
    return activity.merged(counts)


def seconds(counts: Iterable[Activity]) -> int:
    """The seconds of all counts."""
    return sum(each.seconds for each in counts)


def starts(counts: Iterable[Activity]) -> int:
    """The starts of all counts."""
    return sum(each.starts for each in counts)


def every_minute(since: int, until: int) -> range:
    """Looks a minute apart."""
    return range(since, until + 1, T)


def test_a_session_counts_from_its_own_start_to_the_middle_of_its_last_interval() -> None:
    """Begun 50 s before the look that sees it first, gone between the fourth and the fifth."""
    run = Run(session(started_at=NOON + 10), NOON + 4 * T + 5)
    told = Activity(day=DAY, surface="terminal", build=BUILD, seconds=50 + 3 * T + 30, starts=1)
    assert looked([run], every_minute(NOON, NOON + 9 * T)) == (told,)


def test_a_session_that_ran_before_the_agent_counts_from_the_first_look() -> None:
    """It is no start, and not its whole life is counted."""
    run = Run(session(started_at=NOON - 9_000), NOON + 9_000)
    counts = looked([run], every_minute(NOON, NOON + 2 * T))
    assert (seconds(counts), starts(counts)) == (2 * T, 0)


def test_a_session_found_late_counts_from_the_look_before() -> None:
    """A program that became Claude Code under its number was not seen before."""
    state, _ = activity.count(Counting(), [], NOON, gap_s=GAP_S)
    late = session(started_at=NOON - 500)
    state, used = activity.count(state, [late], NOON + T, gap_s=GAP_S)
    assert (seconds(used), starts(used)) == (T, 1)
    _, used = activity.count(state, [], NOON + 2 * T, gap_s=GAP_S)
    assert seconds(used) == T // 2


def test_sleep_counts_nothing() -> None:
    """A lid closed for the night is no use, whatever runs before and after."""
    run = Run(session(started_at=NOON - 1), NOON + 10 * DAY_S)
    looks = [NOON, NOON + T, NOON + T + 40_000, NOON + 2 * T + 40_000]
    counts = looked([run], looks)
    assert (seconds(counts), starts(counts)) == (2 * T, 0)


def test_a_session_begun_after_waking_counts_from_its_start() -> None:
    """It lies in the same interval as the sleep, and its own time tells it apart."""
    woke = NOON + 40_000
    run = Run(session(started_at=woke + 20), woke + DAY_S)
    counts = looked([run], [NOON, woke + T])
    assert (seconds(counts), starts(counts)) == (40, 1)


def test_a_session_begun_before_sleep_counts_as_a_start_only() -> None:
    """When it was in use is not known."""
    run = Run(session(started_at=NOON + 20), NOON + DAY_S)
    counts = looked([run], [NOON, NOON + 40_000])
    assert (seconds(counts), starts(counts)) == (0, 1)


def test_a_session_that_ended_in_sleep_counts_nothing_more() -> None:
    """Half of a night would be too much."""
    run = Run(session(started_at=NOON - 1), NOON + T + 5)
    assert seconds(looked([run], [NOON, NOON + T, NOON + 40_000])) == T


def test_a_clock_that_was_set_back_counts_nothing_negative() -> None:
    """What follows is counted by the new time."""
    state, _ = activity.count(Counting(), [session()], NOON, gap_s=GAP_S)
    state, used = activity.count(state, [session()], NOON - 9_000, gap_s=GAP_S)
    assert used == ()
    _, used = activity.count(state, [session()], NOON - 9_000 + T, gap_s=GAP_S)
    assert seconds(used) == T


def test_a_start_in_the_future_is_one_of_now() -> None:
    """A clock that was set back since then makes no day of tomorrow."""
    state, _ = activity.count(Counting(), [], NOON, gap_s=GAP_S)
    _, used = activity.count(state, [session(started_at=NOON + 9 * DAY_S)], NOON + T, gap_s=GAP_S)
    assert used == (Activity(day=DAY, surface="terminal", build=BUILD, starts=1),)


def test_midnight_divides() -> None:
    """Each day has the seconds that lie in it."""
    midnight = (DAY + 1) * DAY_S
    run = Run(session(started_at=midnight - 50), midnight + 500)
    counts = looked([run], [midnight - T + 5, midnight + 5, midnight + T + 5])
    assert [(each.day, each.seconds, each.starts) for each in counts] == [
        (DAY, 50, 1),
        (DAY + 1, 65, 0),
    ]


def test_a_number_given_to_another_process_is_another_session() -> None:
    """The start token tells them apart."""
    first = Run(session(pid=7, started_at=NOON + 1), NOON + 70)
    second = Run(session(pid=7, started_at=NOON + 80), NOON + 900)
    assert starts(looked([first, second], every_minute(NOON, NOON + 5 * T))) == 2


def test_a_process_that_becomes_another_program_is_one_start() -> None:
    """Each interval counts for what ran when it began."""
    before, after = session(started_at=NOON + 1), session(started_at=NOON + 1, build=OTHER)
    state = Counting()
    counts: list[Activity] = []
    for at, running in ((NOON, []), (NOON + T, [before]), (NOON + 2 * T, [after])):
        state, used = activity.count(state, running, at, gap_s=GAP_S)
        counts += used
    _, used = activity.count(state, [after], NOON + 3 * T, gap_s=GAP_S)
    assert [
        (each.build, each.seconds, each.starts) for each in activity.merged([*counts, *used])
    ] == [
        (BUILD, 59 + T, 1),
        (OTHER, T, 0),
    ]


def test_side_by_side_adds_up_and_surfaces_are_apart() -> None:
    """Counts are per surface and build; what was not examined is one of its own."""
    runs = [
        Run(session(1, NOON + 1), NOON + 9_000),
        Run(session(2, NOON + 1), NOON + 9_000),
        Run(session(3, NOON + 1, "editor"), NOON + 9_000),
        Run(session(4, NOON + 1, "terminal", None), NOON + 9_000),
    ]
    counts = looked(runs, [NOON, NOON + T])
    assert [(each.surface, each.build, each.seconds, each.starts) for each in counts] == [
        ("editor", BUILD, 59, 1),
        ("terminal", None, 59, 1),
        ("terminal", BUILD, 118, 2),
    ]


@pytest.mark.parametrize("length", [1, 7, 30, 59, 60, 120, 180, 600])
def test_short_sessions_are_told_right_on_average(length: int) -> None:
    """Over every phase between look and start, the mean is the session's own length."""
    total = 0
    for phase in range(T):
        run = Run(session(started_at=NOON + phase), NOON + phase + length)
        total += seconds(looked([run], every_minute(NOON, NOON + 20 * T)))
    # A start in the very second of a look and whole halves round by less than a second.
    assert abs(total / T - length) <= 1


@pytest.mark.parametrize("length", range(61, 120, 7))
def test_between_one_interval_and_two_an_eighth_is_missing_at_most(length: int) -> None:
    """The stated error of the estimate."""
    total = 0
    for phase in range(T):
        run = Run(session(started_at=NOON + phase), NOON + phase + length)
        total += seconds(looked([run], every_minute(NOON, NOON + 20 * T)))
    assert -1 - T / 8 <= total / T - length <= 1


RUNS = st.lists(
    st.builds(
        lambda pid, since, length, surface, build: Run(
            Seen(Process(pid, f"t{since}"), NOON + since, surface, build), NOON + since + length
        ),
        st.integers(1, 10**6),
        st.integers(-500, 3_000),
        st.integers(1, 3_000),
        st.sampled_from(["terminal", "editor", "sdk"]),
        st.sampled_from([BUILD, OTHER, None]),
    ),
    max_size=8,
    unique_by=lambda run: run.seen.process.pid,
)
STEPS = st.lists(st.integers(1, 2 * GAP_S), min_size=1, max_size=30)


def times(steps: list[int]) -> list[int]:
    """Looks that far apart."""
    return [NOON + sum(steps[:number]) for number in range(len(steps) + 1)]


@given(RUNS, STEPS)
def test_never_more_than_wall_time_for_each_session(runs: list[Run], steps: list[int]) -> None:
    """No session counts more than passed, and none starts twice."""
    looks = times(steps)
    for run in runs:
        counts = looked([run], looks)
        assert seconds(counts) <= looks[-1] - looks[0]
        assert starts(counts) <= 1
    assert seconds(looked(runs, looks)) == sum(seconds(looked([run], looks)) for run in runs)


@given(RUNS, STEPS)
def test_the_order_in_which_sessions_are_found_does_not_matter(
    runs: list[Run], steps: list[int]
) -> None:
    """The counts have one order of their own."""
    looks = times(steps)
    assert looked(runs[::-1], looks) == looked(runs, looks)


@given(RUNS, st.lists(st.integers(2, T), min_size=2, max_size=20))
def test_more_looks_change_only_what_ended_or_was_missed(runs: list[Run], steps: list[int]) -> None:
    """A session that outlives all looks counts the same however often it was looked at."""
    looks = times(steps)
    lasting = [Run(run.seen, looks[-1] + 1) for run in runs if run.began <= looks[-1]]
    finer = sorted({*looks, *((one + two) // 2 for one, two in pairwise(looks))})
    assert looked(lasting, finer) == looked(lasting, looks)


@given(RUNS, STEPS)
def test_a_day_holds_no_more_than_itself(runs: list[Run], steps: list[int]) -> None:
    """Divided at midnight, the parts are those of the whole."""
    shift = DAY_S // 2 - 1_000
    moved = [
        Run(
            Seen(run.seen.process, run.began + shift, run.seen.surface, run.seen.build),
            run.until + shift,
        )
        for run in runs
    ]
    whole = looked(runs, times(steps))
    parts = looked(moved, [at + shift for at in times(steps)])
    assert seconds(parts) == seconds(whole)
    assert starts(parts) == starts(whole)
    assert {each.day for each in parts} <= {DAY, DAY + 1}
