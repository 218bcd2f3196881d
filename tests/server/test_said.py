"""What people write: one bounded line, or the name of a group."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import RequestRefused
from server.said import GROUP_MAX, check_group, check_line


@given(st.text(max_size=30))
def test_a_line_that_passes_can_be_shown_as_one(text: str) -> None:
    """Whatever passes says something within its bound, and never ends a line."""
    try:
        check_line("reason", text, 20)
    except RequestRefused:
        return
    assert 0 < len(text.strip()) <= len(text) <= 20
    assert text.splitlines() == [text]


@pytest.mark.parametrize("text", ["a reason", "Grüße an 東京 👩‍💻", "x" * 20])
def test_people_write_in_their_own_words(text: str) -> None:
    """Of any script; only controls and ends of lines are kept out."""
    check_line("reason", text, 20)


@pytest.mark.parametrize("group", ["default", "pilots 2", "eu-west:1", "a" * GROUP_MAX])
def test_a_group_has_a_plain_name(group: str) -> None:
    """As the enrolment and every answer carry it."""
    check_group(group)


@pytest.mark.parametrize("group", ["", " a", "a/b", "ä", "a\n", "a" * (GROUP_MAX + 1)])
def test_what_cannot_name_a_group_is_refused(group: str) -> None:
    """Saying what can."""
    with pytest.raises(RequestRefused) as refused:
        check_group(group)
    assert (refused.value.status, refused.value.path) == (422, "$.group")
    assert "letters" in refused.value.advice


@pytest.mark.parametrize("text", ["", "  ", "a\u2028b", "x" * 21])
def test_what_says_nothing_on_one_line_is_refused(text: str) -> None:
    """At its place in the body."""
    with pytest.raises(RequestRefused) as refused:
        check_line("reason", text, 20)
    assert (refused.value.status, refused.value.path) == (422, "$.reason")
