"""Waivers as values: when one holds, what it covers, and which can be given at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import FindingView
from server.errors import RequestRefused
from server.waivers import PERSON_MAX, REASON_MAX, SUBJECT_MAX, WAIVER_MAX_S, Waiver, check

CODES = ("build-altered", "build-behind")
codes = st.sampled_from([*CODES, "build-pretty", ""])
lines = st.sampled_from(["a probe", "", " ", "one\ntwo", "x" * 200, "x" * 201])
waivers = st.builds(
    Waiver,
    id=st.just("0" * 8),
    code=codes,
    subject=st.none() | lines,
    reason=lines,
    person=st.sampled_from(["anna", "", "x" * PERSON_MAX, "x" * (PERSON_MAX + 1)]),
    since=st.integers(0, 10),
    until=st.integers(-5, 10) | st.integers(WAIVER_MAX_S, WAIVER_MAX_S + 12),
)


@given(waivers)
def test_what_is_given_is_signed_explained_and_bounded(waiver: Waiver) -> None:
    """Everything else is refused, at the field that is wrong; nothing else is raised."""
    try:
        check(waiver, CODES)
    except RequestRefused as refused:
        assert refused.status == 422  # noqa: PT017 - both ways are what this is about
        return
    assert waiver.code in CODES
    assert waiver.holds(waiver.since)
    assert not waiver.holds(waiver.since + WAIVER_MAX_S)
    texts = ((waiver.reason, REASON_MAX), (waiver.person, PERSON_MAX))
    for text, most in (*texts, (waiver.subject or "all", SUBJECT_MAX)):
        assert text.splitlines() == [text]
        assert 0 < len(text.strip()) <= len(text) <= most


@pytest.mark.parametrize(("at", "holds"), [(9, False), (10, True), (19, True), (20, False)])
def test_it_holds_from_its_beginning_until_just_before_its_end(at: int, holds: bool) -> None:  # noqa: FBT001 - the expected answer
    """One second is one side or the other."""
    assert Waiver("0" * 8, CODES[0], None, "a probe", "anna", 10, 20).holds(at) is holds


@pytest.mark.parametrize(
    ("subject", "covers"), [(None, True), ("npm global", True), ("native versions", False)]
)
def test_it_covers_its_code_or_only_its_subject(subject: str | None, covers: bool) -> None:  # noqa: FBT001 - the expected answer
    """Never a finding of another rule."""
    waiver = Waiver("0" * 8, CODES[0], subject, "a probe", "anna", 10, 20)
    assert waiver.covers(FindingView(CODES[0], "drift", "npm global", "It differs.")) is covers
    assert not waiver.covers(FindingView(CODES[1], "drift", "npm global", "It is behind."))
