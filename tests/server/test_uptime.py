"""How much of a silence nobody could have heard."""

from hypothesis import given
from hypothesis import strategies as st

from server.uptime import GAP_S, Span, unheard_s

DAY = 86_400
NOW = 100 * DAY

_edges = st.lists(st.integers(0, NOW), min_size=2, max_size=8, unique=True).map(sorted)


def spans_of(edges: list[int]) -> tuple[Span, ...]:
    """Spans between every second pair of moments; the last one goes on until now."""
    pairs = list(zip(edges[::2], [*edges[1::2], NOW], strict=False))
    *whole, (began, _) = pairs
    return (*(Span(*each) for each in whole), Span(began, NOW))


def test_a_stop_of_days_is_no_silence() -> None:
    """Of a machine that spoke before it, all of it; within it, the rest; after it, nothing."""
    spans = (Span(0, 10 * DAY), Span(15 * DAY, NOW))
    assert unheard_s(spans, 9 * DAY, NOW) == 5 * DAY
    assert unheard_s(spans, 12 * DAY, NOW) == 3 * DAY
    assert unheard_s(spans, 15 * DAY, NOW) == 0


def test_a_server_that_is_stopped_now_hears_nothing() -> None:
    """Who asks beside it is told so too; a note that is a little late is no stop."""
    spans = (Span(0, NOW - DAY),)
    assert unheard_s(spans, 0, NOW) == DAY
    assert unheard_s((Span(0, NOW - GAP_S),), 0, NOW) == 0


def test_where_nothing_was_noted_everything_was_heard() -> None:
    """A database from before the notes keeps the silence that it has."""
    assert unheard_s((), 0, NOW) == 0
    assert unheard_s((Span(50 * DAY, NOW),), 0, NOW) == 0


@given(_edges, st.integers(0, NOW))
def test_nobody_was_unheard_for_longer_than_silent(edges: list[int], since: int) -> None:
    """And who spoke later was unheard no longer."""
    spans = spans_of(edges)
    unheard = unheard_s(spans, since, NOW)
    assert 0 <= unheard <= NOW - since
    assert unheard_s(spans, min(NOW, since + DAY), NOW) <= unheard
