"""Where a version stands, and when time alone moves it."""

from hypothesis import given
from hypothesis import strategies as st

from server.releases.ledger import SOURCES_DIFFER_S, Ledger, Lookup, Reading, Replaced
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


def test_ahead_stays_checked_however_often_it_is_asked_for_again() -> None:
    """Another laptop took the build later: that is between it and its own reading."""
    lookup = Lookup("2.1.2", 500, 150, "found", first_asked_at=101)
    ledger = Ledger([Reading("npm", "latest", "2.1.1", 0, 101)], lookups=[lookup])
    assert locate("2.1.2", "npm", "latest", MAX_AGE_S, ledger, 600).checked


def _april(*moves: tuple[int, str], source: str = "npm") -> Ledger:
    """A pointer's moves by hour, read until hour 100."""
    ends = [*(hour for hour, _ in moves[1:]), 100]
    return Ledger(
        Reading(source, "latest", version, hour * HOUR, end * HOUR)
        for (hour, version), end in zip(moves, ends, strict=True)
    )


def test_a_head_that_was_moved_back_is_withdrawn_and_not_ahead() -> None:
    """2.1.116 was the head; what nobody ever showed is ahead still."""
    ledger = _april((0, "2.1.112"), (10, "2.1.116"), (20, "2.1.114"))
    here = locate("2.1.116", "npm", "latest", MAX_AGE_S, ledger, 30 * HOUR)
    assert (here.place, here.replaced) == ("withdrawn", Replaced(20 * HOUR, estimated=False))
    assert locate("2.1.117", "npm", "latest", MAX_AGE_S, ledger, 30 * HOUR).place == "ahead"
    behind = locate("2.1.112", "npm", "latest", MAX_AGE_S, ledger, 30 * HOUR)
    assert (behind.place, behind.replaced) == ("behind", Replaced(10 * HOUR, estimated=False))


def test_a_head_that_is_moved_forward_again_is_the_head_again() -> None:
    """And what was head meanwhile is behind since then; the oldest keeps its first moment."""
    ledger = _april((0, "2.1.112"), (10, "2.1.116"), (20, "2.1.114"), (30, "2.1.116"))
    now = 40 * HOUR
    assert locate("2.1.116", "npm", "latest", MAX_AGE_S, ledger, now).place == "head"
    between = locate("2.1.114", "npm", "latest", MAX_AGE_S, ledger, now)
    assert (between.place, between.replaced) == ("behind", Replaced(30 * HOUR, estimated=False))
    never = locate("2.1.112", "npm", "latest", MAX_AGE_S, ledger, now)
    assert never.replaced == Replaced(10 * HOUR, estimated=False)


def test_the_head_of_a_source_that_was_not_moved_back_counts_for_six_hours() -> None:
    """From the move back on; then its own updater's source decides, to the second."""
    npm = _april((0, "2.1.112"), (10, "2.1.116"), (20, "2.1.114")).readings("npm", "latest")
    bucket = Reading("bucket", "latest", "2.1.116", 11 * HOUR, 100 * HOUR)
    ledger = Ledger([*npm, bucket])
    until = 20 * HOUR + SOURCES_DIFFER_S
    last = locate("2.1.116", "npm", "latest", MAX_AGE_S, ledger, until - 1)
    assert (last.place, last.changes_at) == ("head", until)
    assert locate("2.1.116", "npm", "latest", MAX_AGE_S, ledger, until).place == "withdrawn"
    assert locate("2.1.116", "native", "latest", MAX_AGE_S, ledger, until).place == "head"


@given(_number, st.lists(_number, min_size=1, max_size=8))
def test_a_laptop_that_never_updates_keeps_the_moment_of_its_replacement(
    version: str, later: list[str]
) -> None:
    """However many releases follow, as long as none of them is its own again."""
    moves = [(0, version), *((hour, each) for hour, each in enumerate(later, 1) if each != version)]
    if len(moves) > 1:
        here = locate(version, "npm", "latest", MAX_AGE_S, _april(*moves), 100 * HOUR)
        assert here.place in {"behind", "withdrawn"}
        assert here.replaced == Replaced(moves[1][0] * HOUR, estimated=False)


def test_a_channel_that_nobody_shows_is_undecidable() -> None:
    """Also if another channel is known."""
    ledger = Ledger([Reading("npm", "latest", "2.1.1", 0, 100)])
    here = locate("2.1.1", "npm", "stable", MAX_AGE_S, ledger, 100)
    assert (here.place, here.head, here.changes_at) == ("undecidable", None, None)
