"""Use as shown: by version and surface, and how much of it is on what users have."""

from hypothesis import given
from hypothesis import strategies as st

from server.activity import DAY_S, NOT_EXAMINED, Used
from server.policy import MACHINE, GroupPolicy, Policies
from server.releases.ledger import Artifact, Ledger, Reading
from server.views import activity
from server.views.activity import NOT_PUBLIC, UNKNOWN
from tests.server.cases import policies

TODAY = 20_000
HEAD, OLD, OTHER, TAUGHT = "a" * 64, "b" * 64, "c" * 64, "d" * 64
HOUR = 3_600
LEDGER = Ledger(
    readings=[
        Reading("npm", "latest", "2.1.329", (TODAY - 2) * DAY_S + 7, TODAY * DAY_S + 99),
        Reading("npm", "latest", "2.1.330", TODAY * DAY_S + 100, TODAY * DAY_S + 200),
        Reading("bucket", "stable", "2.1.9", (TODAY - 2) * DAY_S, TODAY * DAY_S),
    ],
    artifacts=[
        Artifact("2.1.330", "linux-x64", "binary", HEAD, 1, "registry", "npm"),
        Artifact("2.1.329", "linux-x64", "binary", OLD, 1, "signed", "bucket"),
        Artifact("2.1.9", "linux-x64", "binary", OTHER, 1, "signed", "bucket"),
        Artifact("2.1.330", "linux-arm64", "binary", TAUGHT, 1, "learned", "reference"),
    ],
)
SPAN = range(TODAY - 6, TODAY + 1)


def used(build: str = HEAD, day: int = TODAY, group: str = "default", seconds: int = HOUR) -> Used:
    """An hour of the head today, unless told otherwise."""
    return Used(day, group, "terminal", build, seconds, 1)


def told(*items: Used, policies: Policies | None = None) -> activity.ActivityView:
    """The view of some use."""
    return activity.view(items, LEDGER, policies or Policies(), SPAN)


def test_any_head_of_the_day_is_what_users_had_that_day() -> None:
    """On the day of a release both; a day later the older one no longer, a day earlier no newer."""
    assert told(used(HEAD), used(OLD)).use.share == 1
    assert told(used(HEAD, TODAY - 1), used(OLD, TODAY - 1)).use.share == 1 / 2
    later = activity.view([used(OLD, TODAY + 1)], LEDGER, Policies(), range(TODAY, TODAY + 2))
    assert later.use.share == 0


def test_a_group_is_measured_by_its_own_channel() -> None:
    """The head of another channel is not what it should run, unless laptops choose theirs."""
    stable = Policies(groups={"calm": GroupPolicy("stable"), "free": GroupPolicy(MACHINE)})
    groups = told(
        used(OTHER, group="calm"),
        used(HEAD, group="calm"),
        used(OTHER, group="free"),
        used(OTHER),
        policies=stable,
    ).groups
    assert {name: use.share for name, use in groups.items()} == {
        "calm": 1 / 2,
        "default": 0,
        "free": 1,
    }


def test_what_nobody_published_or_examined_is_not_on_the_public_build() -> None:
    """It stays in the share's denominator; bytes that are not known are one line."""
    seen = told(used("e" * 64), used("f" * 64), used(NOT_EXAMINED), used(HEAD))
    assert (seen.use.share, seen.use.public_s, seen.use.use_s) == (1 / 4, HOUR, 4 * HOUR)
    assert {line.version: line.use_s for line in seen.builds} == {
        NOT_PUBLIC: 2 * HOUR,
        UNKNOWN: HOUR,
        "2.1.330": HOUR,
    }


def test_a_day_without_a_reading_decides_nothing() -> None:
    """It is told, and in no share; where there is no other day, there is no share."""
    before = TODAY - 5
    some = told(used(HEAD, before), used(HEAD)).use
    assert (some.share, some.undecided_s, some.public_s) == (1, HOUR, HOUR)
    assert told(used(HEAD, before)).use.share is None
    assert told().use.share is None


def test_bytes_that_only_a_reference_has_count_where_the_policy_says_so() -> None:
    """As they do in verdicts."""
    assert told(used(TAUGHT)).use.share == 0
    trusting = Policies(GroupPolicy(trust_learned=True))
    assert told(used(TAUGHT), policies=trusting).use.share == 1


def test_the_most_used_comes_first() -> None:
    """By version and surface, with starts; the first day is told as a moment."""
    seen = told(used(OLD, seconds=10), used(HEAD), used(OLD, TODAY - 1, seconds=20))
    assert [(line.version, line.use_s, line.starts) for line in seen.builds] == [
        ("2.1.330", HOUR, 1),
        ("2.1.329", 30, 2),
    ]
    assert (seen.since, seen.days) == ((TODAY - 6) * DAY_S, 7)


def test_the_last_day_is_today() -> None:
    """And the first one never before the epoch."""
    assert activity.span_of(7, TODAY * DAY_S + 5) == SPAN
    assert activity.span_of(7, DAY_S) == range(2)


@given(
    st.lists(
        st.builds(
            Used,
            day=st.integers(TODAY - 6, TODAY),
            group=st.sampled_from(["default", "pilots"]),
            surface=st.sampled_from(["terminal", "sdk"]),
            build=st.sampled_from([HEAD, OLD, OTHER, TAUGHT, NOT_EXAMINED, "e" * 64]),
            seconds=st.integers(0, DAY_S),
            starts=st.integers(0, 5),
        )
    ),
    policies,
)
def test_groups_and_builds_add_up_to_the_whole(items: list[Used], policy: GroupPolicy) -> None:
    """Every second is in one group and in one line, and a share is a share."""
    seen = activity.view(items, LEDGER, Policies(policy), SPAN)
    for parts in (seen.groups.values(), seen.builds):
        for name in ("use_s", "starts", "public_s", "undecided_s"):
            assert sum(getattr(part, name) for part in parts) == getattr(seen.use, name)
    for use in (seen.use, *seen.groups.values(), *seen.builds):
        assert use.public_s + use.undecided_s <= use.use_s
        assert use.share is None or 0 <= use.share <= 1
