"""Packing: the cap holds, nobody is forgotten, the operator never waits."""

from hypothesis import given
from hypothesis import strategies as st

from server.alerts import planning
from server.alerts.planning import MESSAGES_MAX, NEWS_MAX_AGE_S, pack
from server.alerts.rows import HELD, Row

NOW = 1_777_000_000


def _row(number: int, told: str = "drifted", age_s: int = 60, reason: str | None = None) -> Row:
    """A row of some age."""
    return Row(number, f"machine {number}", told, "{}", NOW - age_s, reason=reason)


rows = st.lists(
    st.builds(
        _row,
        number=st.integers(1, 10**6),
        told=st.sampled_from(("drifted", "healed", "unknown", "operator")),
        age_s=st.integers(0, 3 * NEWS_MAX_AGE_S),
        reason=st.sampled_from((None, HELD, "slack put the message off: 503")),
    ),
    max_size=40,
    unique_by=lambda row: row.id,
)


@given(rows, st.integers(0, 2 * MESSAGES_MAX))
def test_beyond_the_cap_only_the_operator_is_told(due: list[Row], sent: int) -> None:
    """With the hour's messages used up, nothing goes but incidents."""
    parcel = pack(due, sent, NOW)
    if parcel is not None and sent >= MESSAGES_MAX:
        assert parcel.row.told == "operator"
    if any(row.told == "operator" for row in due):
        assert parcel is not None
        assert parcel.row.told == "operator"


@given(rows)
def test_every_row_leaves_in_the_end(due: list[Row]) -> None:
    """Each round settles at least one row and no row twice, until none is left."""
    left = {row.id: row for row in due}
    while parcel := pack(list(left.values()), 0, NOW):
        for row in (parcel.row, *parcel.counted):
            assert left.pop(row.id) is row
    assert not left


@given(rows)
def test_old_news_are_only_counted(due: list[Row]) -> None:
    """What is older than a day is never told one by one, the operator's apart."""
    parcel = pack(due, 0, NOW)
    if parcel is not None and parcel.in_full and parcel.row.told != "operator":
        assert NOW - parcel.row.created_at < NEWS_MAX_AGE_S
    assert all(row.told != "operator" for row in (parcel.counted if parcel else ()))


def test_held_rows_are_counted_in_the_next_fresh_message() -> None:
    """A new change is told, what was held back goes along as a count."""
    held = [_row(number, reason=HELD) for number in range(1, 4)]
    parcel = pack([*held, _row(9), _row(10)], 3, NOW)
    assert parcel == planning.Parcel(_row(9), tuple(held))


def test_without_a_fresh_one_the_oldest_held_row_is_told() -> None:
    """When the hour allows, what was held back does not wait for something new."""
    held = [_row(number, reason=HELD) for number in range(1, 4)]
    assert pack(held, 3, NOW) == planning.Parcel(held[0], tuple(held[1:]))


def test_only_old_news_make_one_summary() -> None:
    """After two days without Slack there is one message, not a flood."""
    old = [_row(number, age_s=2 * NEWS_MAX_AGE_S) for number in range(1, 50)]
    assert pack(old, 0, NOW) == planning.Parcel(old[0], tuple(old[1:]), in_full=False)
