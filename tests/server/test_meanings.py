"""Every word that a verdict is told in is explained, once."""

from typing import get_args

import pytest

from agent.wire import Meaning, Standing
from server.judge import WORST_FIRST
from server.meanings import meanings
from server.rules import rules
from server.rules.interface import Rule
from server.views.status import NOT_COUNTED

KNOWN = meanings()


def test_every_standing_is_explained_and_no_other() -> None:
    """In the order of the wire."""
    words = [each.word for each in KNOWN.standings]
    assert set(words) == set(get_args(Standing))
    assert len(words) == len(set(words))


def test_every_severity_is_explained_worst_first() -> None:
    """In the order in which the judge folds them."""
    assert tuple(each.word for each in KNOWN.severities) == WORST_FIRST


def test_a_finding_is_explained_by_its_rules_own_words() -> None:
    """There is no second text that could say something else."""
    told = [(each.word, each.says, each.mend) for each in KNOWN.findings]
    assert told == [(rule.code, rule.says, rule.mend) for rule in rules()]


def test_a_new_rule_is_explained_by_being_there() -> None:
    """Nothing else has to be written."""
    made = meanings([Rule("build-cursed", says="It is cursed.", mend="Lift the curse.")])
    assert made.findings == (
        Meaning("build-cursed", "finding", "It is cursed.", "Lift the curse."),
    )


@pytest.mark.parametrize("meaning", KNOWN.standings, ids=lambda each: each.word)
def test_the_share_is_told_where_a_standing_is_left_out_of_it(meaning: Meaning) -> None:
    """As the status counts."""
    assert ("left out of the share" in meaning.says) == (meaning.word in NOT_COUNTED)


@pytest.mark.parametrize("meaning", KNOWN.all, ids=lambda each: f"{each.kind} {each.word}")
def test_each_meaning_is_a_sentence_with_something_to_do(meaning: Meaning) -> None:
    """Plain, and ended."""
    for text in (meaning.says, meaning.mend):
        assert text.endswith(".")
        assert "  " not in text


def test_a_word_with_two_meanings_has_both() -> None:
    """A severity and the standing that it makes have one name."""
    assert [each.kind for each in KNOWN.of("drift")] == ["standing", "severity"]
    assert KNOWN.of("build-behind") == tuple(
        each for each in KNOWN.findings if each.word == "build-behind"
    )
    assert KNOWN.of("nothing") == ()
