"""How many machines have which version, day by day."""

from hypothesis import given
from hypothesis import strategies as st

from server.activity import NOT_EXAMINED
from server.in_use import NOTHING, Day
from server.policy import Policies
from server.views.activity import NOT_PUBLIC, UNKNOWN
from server.views.versions import NONE, VersionUse, by_day, view
from tests.server.shop import BEHIND, HEAD, ledger

SPAN = range(100, 104)


def test_a_release_that_spreads_is_seen_from_day_to_day() -> None:
    """By version, of all groups together; a build that is not public is told as that."""
    counted = {
        ("default", HEAD.sha256): 7,
        ("pilots", HEAD.sha256): 2,
        ("default", "f" * 64): 1,
        ("default", NOT_EXAMINED): 1,
        ("pilots", NOTHING): 1,
    }
    changed = [
        Day(101, "pilots", HEAD.sha256, 0, 2),
        Day(102, "default", HEAD.sha256, 0, 3),
        Day(103, "default", HEAD.sha256, 3, 7),
        Day(101, "default", BEHIND.sha256, 9, 7),
        Day(103, "default", BEHIND.sha256, 7, 0),
    ]
    told = view(counted, changed, ledger(), Policies(), SPAN)
    assert (told.since, told.machines) == (100 * 86_400, 12)
    assert told.versions == (
        VersionUse("2.1.330", 9, 9 / 12, (0, 2, 5, 9), {"default": 7, "pilots": 2}),
        VersionUse(UNKNOWN, 1, 1 / 12, (1,) * 4, {"default": 1}),
        VersionUse(NOT_PUBLIC, 1, 1 / 12, (1,) * 4, {"default": 1}),
        VersionUse(NONE, 1, 1 / 12, (1,) * 4, {"pilots": 1}),
        VersionUse("2.1.329", 0, 0.0, (9, 7, 7, 0), {}),
    )


def test_a_fleet_without_a_machine_has_no_version() -> None:
    """And no share of nothing."""
    told = view({}, (), ledger(), Policies(), SPAN, "default")
    assert (told.machines, told.versions, told.group) == (0, (), "default")


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.integers(0, 3))
def test_each_day_has_what_the_day_before_left(numbers: list[int], before: int) -> None:
    """Whichever days changed a number, and from whenever on one looks."""
    days = [before, *numbers]
    changed = [
        Day(100 + place, "default", "a", days[place], number)
        for place, number in enumerate(numbers)
        if days[place] != number
    ]
    for begin in range(6):
        span = range(100 + begin, 106)
        shown = by_day({("default", "a"): numbers[-1]}, changed, span)
        assert shown.get(("default", "a"), [0] * len(span)) == numbers[begin:]
