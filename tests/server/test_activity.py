"""How use is summed: days by the server's clock, surfaces as policies name them."""

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import Activity
from server.activity import BACKGROUND, DAY_S, DAYS_BACK, NOT_EXAMINED, OTHER, summed

NOW = 1_777_000_000
TODAY = NOW // DAY_S
SHA = "a" * 64

_told = st.lists(
    st.tuples(
        st.sampled_from(["default", "pilots"]),
        st.lists(
            st.builds(
                Activity,
                day=st.integers(0, 2 * TODAY),
                surface=st.sampled_from(["terminal", "login-shell", "sdk", "background", "new"]),
                build=st.sampled_from([None, SHA, "b" * 64]),
                seconds=st.integers(0, DAY_S),
                starts=st.integers(0, 9),
            ),
            max_size=4,
        ),
    ),
    max_size=4,
)


def test_days_are_the_servers() -> None:
    """A day that has not come is today; one that is too far back is the earliest taken."""
    days = (TODAY + 1, TODAY, TODAY - DAYS_BACK, TODAY - DAYS_BACK - 1, 0)
    sums = summed([("default", [Activity(day, "sdk", SHA, 60, 1) for day in days])], NOW)
    assert {day: counts for (day, *_), counts in sums.items()} == {
        TODAY: (120, 2),
        TODAY - DAYS_BACK: (180, 3),
    }


def test_surfaces_are_those_of_policies() -> None:
    """A login shell is a terminal, what has no window is told apart, and the rest is one."""
    told = ("login-shell", "terminal", "sdk", "background", "one", "another")
    sums = summed([("default", [Activity(TODAY, each, SHA, 60) for each in told])], NOW)
    assert {surface: seconds for (_, _, surface, _), (seconds, _) in sums.items()} == {
        "terminal": 120,
        "sdk": 60,
        BACKGROUND: 60,
        OTHER: 120,
    }


@given(_told)
def test_nothing_is_lost_and_nothing_added(told: list[tuple[str, list[Activity]]]) -> None:
    """Every second and start is in one sum of its group, whatever a laptop calls things."""
    sums = summed(told, NOW)
    for group in ("default", "pilots"):
        items = [item for name, own in told if name == group for item in own]
        own = [counts for (_, name, _, _), counts in sums.items() if name == group]
        assert sum(seconds for seconds, _ in own) == sum(item.seconds for item in items)
        assert sum(starts for _, starts in own) == sum(item.starts for item in items)
    assert all(TODAY - DAYS_BACK <= day <= TODAY for day, *_ in sums)
    assert {build for *_, build in sums} <= {NOT_EXAMINED, SHA, "b" * 64}
