"""Several sources' words on one version, folded."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.releases.answers import EVIDENCE_KEPT_S, Vote, fold, unanswered
from server.releases.ledger import Lookup, Outcome

_says = st.sampled_from(["found", "absent", "failed", "mute"])
_votes = st.lists(st.builds(Vote, st.sampled_from(["npm", "bucket", "x"]), _says), max_size=4)


@given(_votes)
def test_never_public_needs_somebody_to_say_so_and_nobody_to_doubt_it(votes: list[Vote]) -> None:
    """Silence and failure are no evidence."""
    says = {vote.says for vote in votes}
    absent = "absent" in says and not says & {"found", "failed"}
    assert (fold(votes).outcome == "absent") == absent


@pytest.mark.parametrize(
    ("outcome", "says", "answer"),
    [
        ("absent", "failed", "absent"),
        ("absent", "mute", "failed"),
        ("absent", "found", "found"),
        ("waiting", "failed", "failed"),
        ("failed", "failed", "failed"),
        ("found", "failed", "failed"),
    ],
)
def test_a_source_that_fails_just_now_takes_no_absence_back(
    outcome: Outcome, says: Literal["found", "failed", "mute"], answer: str
) -> None:
    """One that has been away for long does: then nobody knows any more."""
    before = Lookup("2.1.320", 1, 2, outcome, "npm has no such version")
    assert fold([Vote("npm", says, "down")], before).outcome == answer


@given(_votes)
def test_every_answer_but_found_has_a_reason(votes: list[Vote]) -> None:
    """A person reads it."""
    answer = fold(votes)
    assert answer.outcome in {"found", "absent", "failed"}
    assert answer.reason or answer.outcome == "found"


def test_reasons_name_their_sources() -> None:
    """As they are told to people."""
    assert fold([Vote("npm", "absent"), Vote("bucket", "absent")]).reason == (
        "npm and bucket have no such version"
    )
    assert fold([Vote("npm", "absent"), Vote("bucket", "mute", "old")]).reason == (
        "npm has no such version"
    )
    assert fold([Vote("npm", "failed", "down")]).reason == "npm: down"
    assert fold([]).reason == "no release source is set"


@pytest.mark.parametrize(
    ("read_at", "says"),
    [
        (None, "mute"),
        (1_000, "failed"),
        (1_000 - EVIDENCE_KEPT_S + 1, "failed"),
        (1_000 - EVIDENCE_KEPT_S, "mute"),
    ],
)
def test_a_source_that_fails_is_waited_for_a_while(read_at: int | None, says: str) -> None:
    """One that never answered, or has not for long, holds nothing up."""
    assert unanswered("npm", read_at, "down", 1_000).says == says
