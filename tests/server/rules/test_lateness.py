"""How late a copy is whose build was replaced."""

from hypothesis import given
from hypothesis import strategies as st

from server.releases.ledger import Replaced
from server.rules.lateness import UNDATED, lateness, moment

MOMENTS = st.integers(0, 2**40)


@given(MOMENTS, st.integers(0, 10**7), st.integers(-10, 10))
def test_pending_ends_exactly_at_the_deadline(at: int, tolerance_s: int, around: int) -> None:
    """And then it never changes again."""
    now = at + tolerance_s + around
    late = lateness(Replaced(at, estimated=False), tolerance_s, now)
    assert (late.since, late.deadline) == (at, at + tolerance_s)
    assert late.severity == ("pending" if around < 0 else "drift")
    assert late.changes_at == (late.deadline if around < 0 else None)


def test_what_nothing_dates_has_no_time_left() -> None:
    """It is behind, and nobody can say that it is so for a short time only."""
    assert lateness(None, 10**9, 0) is UNDATED
    assert UNDATED.changes_at is None
    assert moment(None) is None


def test_an_estimate_is_called_one() -> None:
    """In the sentence and in the finding."""
    assert moment(Replaced(0, estimated=True)) == "about 1970-01-01 00:00 UTC"
    assert moment(Replaced(0, estimated=False)) == "1970-01-01 00:00 UTC"
    assert lateness(Replaced(0, estimated=True), 1, 0).estimated
