"""Lines that fit a terminal."""

from collections.abc import Iterator
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import text

HEAD = ("CODE", "WHAT")
_WORD = st.text("abcdefgh", min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    text.fit(text.WIDTH)


@given(st.integers(40, 200), st.lists(st.tuples(_WORD, st.lists(_WORD, max_size=40))))
def test_tables_fit_and_lose_no_word(columns: int, rows: list[tuple[str, list[str]]]) -> None:
    """Whatever the terminal's width; beyond a hundred columns nothing gets wider."""
    text.fit(columns)
    lines = text.table(HEAD, [(code, " ".join(words)) for code, words in rows])
    assert max(map(len, lines)) <= min(columns, text.WIDTH)
    said = " ".join(lines).split()
    assert said == [*HEAD, *(each for code, words in rows for each in (code, *words))]


def test_a_cell_without_room_goes_beneath_its_row() -> None:
    """Instead of one word a line."""
    text.fit(40)
    rows = text.rows_of(("A", "B", "C"), [("a" * 12, "b" * 12, "some more words")])
    assert rows[1] == [f"  {'a' * 12}  {'b' * 12}", "      some more words"]


def test_a_long_word_is_left_whole() -> None:
    """A broken path cannot be copied."""
    text.fit(40)
    assert text.wrapped("see /" + "x" * 60, "  ") == ["  see", "  /" + "x" * 60]


def test_a_time_can_name_its_zone() -> None:
    """By its distance from UTC, which every reader can count with."""
    assert text.when(0, UTC, zoned=True) == "1970-01-01 00:00 +00:00"
    assert text.when(0, timezone(timedelta(hours=-3, minutes=-30)), zoned=True).endswith(" -03:30")
