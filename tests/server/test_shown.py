"""The one table of all commands: headings, whole facts, lines that fit."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.shown import table

_ROWS = [
    ("3f2a", "a laptop with a long name", "2026-11-22 23:12Z", None),
    ("77b0", "short", "2026-11-22 23:12Z", "Olga"),
]


def test_a_table_has_headings_and_aligned_columns() -> None:
    """Also into a pipe, where each row is one line."""
    assert list(table(("id", "label", "since", "owner"), _ROWS, None)) == [
        "id    label                      since              owner",
        "3f2a  a laptop with a long name  2026-11-22 23:12Z  -",
        "77b0  short                      2026-11-22 23:12Z  Olga",
    ]


def test_the_widest_column_breaks_between_words() -> None:
    """The others keep their lines."""
    assert list(table(("id", "label", "since", "owner"), _ROWS, 45)) == [
        "id    label            since       owner",
        "3f2a  a laptop with a  2026-11-22  -",
        "      long name        23:12Z",
        "77b0  short            2026-11-22  Olga",
        "                       23:12Z",
    ]


def test_a_word_stays_whole_where_nothing_fits() -> None:
    """An id that is to be copied is not broken."""
    assert list(table(("id",), [("0123456789abcdef",)], 8)) == ["id", "0123456789abcdef"]


def test_control_characters_do_nothing() -> None:
    """What a laptop wrote is no command to the terminal."""
    assert list(table(("label",), [("\x1b[2J\n",)], None))[1] == "\\x1b[2J\\n"


_WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), max_size=6).map(" ".join)


@given(st.lists(st.tuples(_WORDS, _WORDS, _WORDS), max_size=5), st.integers(1, 80))
def test_no_fact_is_cut(rows: list[tuple[str, str, str]], width: int) -> None:
    """Every word is there, and a line is longer than asked only where its words are."""
    lines = list(table(("one", "two", "three"), rows, width))
    words = sorted(word for row in rows for text in row for word in (text or "-").split())
    assert sorted(" ".join(lines).split()) == sorted([*words, "one", "two", "three"])
    assert max(map(len, lines)) <= max(width, 9 * 3 + 4)


@given(st.lists(st.tuples(_WORDS, _WORDS), max_size=5))
def test_more_room_takes_no_more_lines(rows: list[tuple[str, str]]) -> None:
    """Nothing is broken that need not be."""
    heights = [len(list(table(("one", "two"), rows, width))) for width in (12, 24, 48, 120)]
    assert all(few <= many for many, few in pairwise(heights))
    assert heights[-1] == len(rows) + 1
