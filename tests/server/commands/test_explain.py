"""``parity-server explain``, as an operator types it."""

import json

import pytest
from click.testing import CliRunner, Result

from agent.wire import Meaning
from server.cli import cli
from server.meanings import meanings


def explain(*words: str) -> Result:
    """The finished command."""
    return CliRunner().invoke(cli, ["explain", *words])


@pytest.mark.parametrize("each", meanings().all, ids=lambda each: f"{each.kind} {each.word}")
def test_every_word_is_explained(each: Meaning) -> None:
    """With what it means and what to do, in lines that fit a terminal."""
    done = explain(each.word)
    assert done.exit_code == 0
    assert f"{each.word} ({each.kind})" in done.output.splitlines()
    assert max(map(len, done.output.splitlines())) <= 100
    said = " ".join(done.output.split())
    assert each.says in said
    assert f"what to do: {each.mend}" in said


def test_without_a_word_all_are_explained() -> None:
    """Standings first."""
    done = explain()
    assert done.output.startswith("match (standing)")
    for each in meanings().all:
        assert f"{each.word} ({each.kind})" in done.output


def test_the_same_is_told_as_json() -> None:
    """A list, since a word may have two meanings."""
    told = json.loads(explain("pending", "--json").output)
    assert [each["kind"] for each in told] == ["standing", "severity"]
    assert len(json.loads(explain("--json").output)) == len(meanings().all)


def test_a_word_that_is_none_is_wrong_usage() -> None:
    """What may have been meant is named."""
    done = explain("build-behnd")
    assert done.exit_code == 2
    assert "did you mean build-behind" in done.output
    assert explain("zzz").exit_code == 2
