"""The past as people and programs ask for it, and as they are told it."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import RequestRefused
from server.releases.ledger import Ledger, Reading
from server.views import history

NOW = 1_777_000_000

_offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(at=st.integers(0, NOW), offset=_offsets)
def test_a_moment_is_the_same_in_every_writing(at: int, offset: timezone) -> None:
    """Seconds since the epoch, UTC with a Z, and any offset."""
    written = datetime.fromtimestamp(at, UTC)
    assert history.moment_of(str(at), NOW) == at
    assert history.moment_of(written.strftime("%Y-%m-%dT%H:%M:%SZ"), NOW) == at
    assert history.moment_of(written.astimezone(offset).isoformat(), NOW) == at


@given(text=st.text())
def test_any_text_is_a_moment_of_the_past_or_refused(text: str) -> None:
    """Whatever is written: never another error, never a moment to come."""
    with contextlib.suppress(RequestRefused):
        assert 0 <= history.moment_of(text, NOW) <= NOW


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-04-16T14:05:00", "has no offset"),
        ("2026-04-16", "has no offset"),
        ("2026-04-16T14:05:00 02:00", "is no moment"),
        ("yesterday", "is no moment"),
        ("", "is no moment"),
        ("-5", "is no moment"),
        ("1969-12-31T23:59:59Z", "is before 1970"),
        ("0001-01-01T00:00:00+14:00", "is "),
        (str(NOW + 1), "has not come yet"),
        ("9" * 40, "has not come yet"),
        ("9" * 41, "is no moment"),
        ("2099-01-01T00:00:00Z", "has not come yet"),
    ],
)
def test_what_is_no_moment_of_the_past_is_refused_with_its_reason(text: str, why: str) -> None:
    """A time without an offset could be anybody's."""
    with pytest.raises(RequestRefused, match=why):
        history.moment_of(text, NOW)


def test_a_share_is_of_all_or_of_one_group() -> None:
    """The same numbers; one group has no list of groups."""
    counts = {("a", "match"): 1, ("b", "match"): 1, ("b", "silent"): 2}
    told = history.share(counts, NOW, NOW - 20)
    assert told.tally is not None
    assert (told.tally.share, told.tally.in_share) == (0.5, 4)
    assert {name: tally.share for name, tally in told.groups.items()} == {"a": 1, "b": 1 / 3}
    of_b = history.share(counts, NOW, NOW - 20, "b")
    assert (of_b.tally, of_b.groups, of_b.group) == (told.groups["b"], {}, "b")


def test_of_a_moment_without_counts_the_reason_is_told() -> None:
    """Since when they are kept; nothing is not zero."""
    told = history.no_share(NOW, NOW - 20, 1_777_000_020)
    assert (told.tally, told.reason) == (None, "counts are kept from 2026-04-24 03:07Z on")
    assert history.no_share(NOW, NOW - 20, None).reason == "no machine has enrolled yet"


def test_the_heads_of_a_moment_are_those_read_by_then() -> None:
    """Each with the last reading by then: what was read later proves nothing of then."""
    ledger = Ledger(
        readings=[
            Reading("npm", "latest", "2.1.116", 100, 200),
            Reading("npm", "latest", "2.1.114", 260, 900),
            Reading("bucket", "stable", "2.1.112", 500, 900),
        ]
    )
    assert history.heads(ledger, 99).heads == ()
    assert history.heads(ledger, 99).reason == "nothing had been read by then"
    (head,) = history.heads(ledger, 250).heads
    assert (head.version, head.since, head.read_at, head.age_s) == ("2.1.116", 100, 200, 50)
    told = history.heads(ledger, 600)
    assert [(each.source, each.version, each.read_at, each.age_s) for each in told.heads] == [
        ("npm", "2.1.114", 600, 0),
        ("bucket", "2.1.112", 600, 0),
    ]
