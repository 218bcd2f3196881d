"""What is kept of a command line and of variables, and that nothing else is."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import started
from agent.started import Kept

VALUED = frozenset({"--model", "--system-prompt", "-n"})
SWITCHES = frozenset({"--bare", "-p"})


class Some:
    """Wants a few names, with what they are worth."""

    def takes_value(self, flag: str) -> bool:
        """Some do."""
        return flag in VALUED

    def flag(self, flag: str, value: str | None) -> Kept | None:
        """All that are known, by their bare names."""
        return (flag.lstrip("-"), value) if flag in VALUED | SWITCHES else None

    def variable(self, name: str, value: str) -> Kept | None:
        """One."""
        return (name, value) if name == "CLAUDE_X" else None

    def is_mode(self, word: str) -> bool:
        """One."""
        return word in {"daemon", "--bg-spare"}


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ([], {}),
        (["--model", "opus"], {"model": "opus"}),
        (["--model=opus"], {"model": "opus"}),
        (["--model="], {"model": ""}),
        (["--model", "opus", "--model", "haiku"], {"model": "haiku"}),
        (["--bare", "--model", "opus"], {"bare": None, "model": "opus"}),
        (["-p", "a prompt", "--bare"], {"p": None, "bare": None}),
        (["a prompt", "--model", "opus"], {"model": "opus"}),
        (["--system-prompt", "--bare"], {"system-prompt": "--bare"}),
        (["-n", "--model", "opus"], {"n": "--model"}),
        (["--unknown", "--model", "opus"], {"model": "opus"}),
        (["--", "--model", "opus"], {}),
        (["--bare", "--", "--model=opus"], {"bare": None}),
        (["--bare is what I mean"], {}),
        (["a --bare word"], {}),
        (["--model"], {"model": None}),
        (["-"], {}),
        (["-bare"], {}),
        (["---bare"], {}),
    ],
)
def test_a_command_line_is_read_as_the_program_reads_it(
    line: list[str], kept: dict[str, str | None]
) -> None:
    """Values belong to their flags, prompts to nobody."""
    assert started.flags(line, Some()) == kept


@given(st.lists(st.text() | st.sampled_from(["--model", "--bare", "-p", "--", "-n"])))
def test_no_word_is_kept_but_the_value_of_a_wanted_flag(line: list[str]) -> None:
    """Whatever people type."""
    kept = started.flags(line, Some())
    assert kept.keys() <= {"model", "system-prompt", "n", "bare", "p"}
    for name, value in kept.items():
        spelt = f"--{name}" if len(name) > 1 else f"-{name}"
        if value is not None:
            pairs = itertools.pairwise(line)
            assert (spelt, value) in pairs or f"{spelt}={value}" in line


def test_an_empty_variable_is_not_set() -> None:
    """And no other one is kept."""
    pairs = [("CLAUDE_X", "1"), ("SECRET", "s")]
    assert started.variables(pairs, Some()) == {"CLAUDE_X": "1"}
    assert started.variables([("CLAUDE_X", "")], Some()) == {}


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["claude", "--bare"], ["claude", "--bare"]),
        (["claude", "-p", ""], ["claude", "-p", ""]),
        (["claude", "", "", ""], None),
        ([], None),
    ],
)
def test_a_programs_arguments_are_its_own(arguments: list[str], own: list[str] | None) -> None:
    """There is none without a name, and none after a title that was written over them."""
    assert started.own_arguments(arguments, is_script=False) == own


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["node", "/x/cli.js", "--bare"], ["/x/cli.js", "--bare"]),
        (["node", "--no-warnings", "/x/cli.js", "-p"], ["/x/cli.js", "-p"]),
        (["claude", "", ""], None),
        (["claude"], None),
        ([], None),
    ],
)
def test_a_scripts_arguments_follow_it(arguments: list[str], own: list[str] | None) -> None:
    """A runtime that has written a title over them shows none."""
    assert started.own_arguments(arguments, is_script=True) == own


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        (["claude", "daemon"], "daemon"),
        (["claude daemon"], "daemon"),
        (["claude", "--bg-spare", "x"], "--bg-spare"),
        (["claude", "--bare", "daemon"], None),
        (["claude", "a daemon"], None),
        (["claude"], None),
        ([""], None),
    ],
)
def test_a_first_word_says_what_a_process_is_for(arguments: list[str], mode: str | None) -> None:
    """Only one that is asked for, and only there."""
    assert started.mode(arguments, Some()) == mode
