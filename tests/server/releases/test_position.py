"""Where a version stands, and when time alone moves it."""

from hypothesis import given
from hypothesis import strategies as st

from server.releases.ledger import SOURCES_DIFFER_S, Ledger, Lookup, Reading
from server.releases.position import locate

HOUR = 3_600
MAX_AGE_S = 6 * HOUR

_number = st.integers(1, 6).map(lambda patch: f"2.1.{patch}")
_instant = st.integers(0, 30).map(lambda hour: hour * HOUR)
_method = st.sampled_from(["npm", "native", "homebrew"])


@st.composite
def _ledgers(draw: st.DrawFn) -> Ledger:
    readings = []
    for source in ("npm", "bucket"):
        moments = sorted(draw(st.lists(_instant, max_size=6, unique=True)))
        for first, last in zip(moments[::2], moments[1::2], strict=False):
            readings.append(Reading(source, "latest", draw(_number), first, last))
    asked = draw(st.lists(st.tuples(_number, _instant), max_size=2, unique_by=lambda item: item[0]))
    lookups = [Lookup(version, at, at + 1, "found") for version, at in asked]
    return Ledger(readings, lookups=lookups)


def _told(version: str, method: str, ledger: Ledger, now: int) -> tuple[object, ...]:
    here = locate(version, method, "latest", MAX_AGE_S, ledger, now)
    return (here.place, here.head, here.replaced, here.checked)


@given(_number, _method, _ledgers(), _instant, st.integers(0, 40 * HOUR))
def test_nothing_changes_before_its_time(
    version: str, method: str, ledger: Ledger, now: int, later: int
) -> None:
    """Between now and `changes_at` every question gets the same answer."""
    here = locate(version, method, "latest", MAX_AGE_S, ledger, now)
    if here.changes_at is None or now + later < here.changes_at:
        assert _told(version, method, ledger, now + later) == _told(version, method, ledger, now)


@given(_number, _method, _ledgers(), _instant)
def test_something_changes_at_its_time(version: str, method: str, ledger: Ledger, now: int) -> None:
    """No verdict is judged again for nothing."""
    at = locate(version, method, "latest", MAX_AGE_S, ledger, now).changes_at
    if at is not None:
        assert at > now
        assert _told(version, method, ledger, at) != _told(version, method, ledger, now)


@given(_number, _method, _ledgers(), _instant)
def test_old_readings_decide_nothing(version: str, method: str, ledger: Ledger, now: int) -> None:
    """A head that was read too long ago is never called the head."""
    here = locate(version, method, "latest", MAX_AGE_S, ledger, now)
    if here.place != "undecidable":
        assert here.head is not None
        assert now < here.head.last_seen + MAX_AGE_S


def test_either_head_counts_while_sources_differ() -> None:
    """For six hours from the later move; then its own updater's source decides."""
    day = 24 * HOUR
    npm = Reading("npm", "latest", "2.1.2", day, 3 * day)
    bucket = Reading("bucket", "latest", "2.1.1", 0, 3 * day)
    ledger = Ledger([npm, bucket])
    assert locate("2.1.2", "native", "latest", MAX_AGE_S, ledger, day).place == "head"
    assert locate("2.1.1", "npm", "latest", MAX_AGE_S, ledger, day).place == "head"
    later = day + SOURCES_DIFFER_S
    assert locate("2.1.2", "native", "latest", MAX_AGE_S, ledger, later).place == "ahead"
    assert locate("2.1.1", "npm", "latest", MAX_AGE_S, ledger, later).place == "behind"


def test_a_build_that_its_source_left_long_ago_is_not_the_head_again() -> None:
    """Though another source, which stays behind, still shows it when its own moves once more."""
    day = 24 * HOUR
    npm = [
        Reading("npm", "latest", "2.1.1", 0, day - 1),
        Reading("npm", "latest", "2.1.2", day, 3 * day - 1),
        Reading("npm", "latest", "2.1.3", 3 * day, 4 * day),
    ]
    ledger = Ledger([*npm, Reading("bucket", "latest", "2.1.1", 0, 4 * day)])
    assert locate("2.1.1", "npm", "latest", MAX_AGE_S, ledger, 3 * day).place == "behind"
    assert locate("2.1.1", "native", "latest", MAX_AGE_S, ledger, 3 * day).place == "head"
    assert locate("2.1.3", "native", "latest", MAX_AGE_S, ledger, 3 * day).place == "head"


def test_ahead_is_checked_by_a_reading_after_the_report() -> None:
    """Before that the head may simply be older than the laptop's."""
    ledger = Ledger(
        [Reading("npm", "latest", "2.1.1", 0, 100)], lookups=[Lookup("2.1.2", 101, 150, "found")]
    )
    assert not locate("2.1.2", "npm", "latest", MAX_AGE_S, ledger, 200).checked
    read = Ledger(
        [Reading("npm", "latest", "2.1.1", 0, 101)], lookups=[Lookup("2.1.2", 101, 150, "found")]
    )
    assert locate("2.1.2", "npm", "latest", MAX_AGE_S, read, 200).checked


def test_a_channel_that_nobody_shows_is_undecidable() -> None:
    """Also if another channel is known."""
    ledger = Ledger([Reading("npm", "latest", "2.1.1", 0, 100)])
    here = locate("2.1.1", "npm", "stable", MAX_AGE_S, ledger, 100)
    assert (here.place, here.head, here.changes_at) == ("undecidable", None, None)
