"""``fix`` as a person types it: what it prints, what it runs, and what it refuses."""

import json
import os

import pytest

from agent.started import PART_MAX_BYTES
from tests.agent import standin
from tests.agent.commands.words import BEHIND, OVERRIDDEN, Told
from tests.agent.receiver import Receiver
from tests.e2e.harness import Laptop

PACKAGE = "@anthropic-ai/claude-code@2.1.330"


@pytest.fixture
def told(laptop: Laptop, receiver: Receiver) -> Told:
    """A laptop with an old copy and a setting of its user's, by its server's word."""
    made = Told(laptop, receiver, [BEHIND, OVERRIDDEN])
    laptop.settings["process_roots"] = str(os.getpid())
    made.npm()
    return made


def test_the_commands_are_printed_and_none_is_run(told: Told) -> None:
    """What can be run apart from what is done by hand."""
    done = told.run("fix")
    assert (done.returncode, done.stderr) == (0, "")
    run, by_hand = done.stdout.split("TO DO BY HAND")
    assert f"1. npm install -g {PACKAGE}" in run
    assert "2. remove effortLevel from" in by_hand
    assert told.mended() == []
    steps = json.loads(told.run("fix", "config-overridden", "--json").stdout)["steps"]
    assert [(each["fix"]["action"], each["argv"]) for each in steps] == [("unset", None)]
    file = told.laptop.home / ".claude" / "settings.json"
    assert f"     it is set in {file}\n" in by_hand
    assert steps[0]["files"] == [str(file)]


def test_a_word_that_is_not_of_now_is_told_with_its_age(told: Told) -> None:
    """The commands of the last one are better than none."""
    told.run("fix")
    told.go_away()
    done = told.run("fix")
    assert done.returncode == 0
    assert "ago: the server answered 502" in done.stdout
    assert PACKAGE in done.stdout
    assert json.loads(told.run("fix", "--json").stdout)["old_because"]


def test_a_person_says_yes_to_each_command(told: Told) -> None:
    """It is shown word for word before, with the program's place; a no runs nothing."""
    code, said = told.typed("fix", "--apply", typing=b"n\n")
    assert (code, told.mended()) == (0, [])
    assert said.rstrip().endswith("not run")
    code, said = told.typed("fix", "--apply", typing=b"y\n")
    assert code == 0, said
    ((program, *words),) = told.mended()
    assert words == ["install", "-g", PACKAGE]
    assert f"$ {program} install -g {PACKAGE}\n" in said
    assert "ended with exit code 0" in said
    assert said.rstrip().endswith("then look again: parity-agent check")


def test_a_command_that_fails_is_a_failure(told: Told) -> None:
    """A script sees it."""
    told.npm(code=3)
    done = told.run("fix", "--apply", "--yes")
    assert done.returncode == 1
    assert "ended with exit code 3" in done.stdout


def test_a_program_that_is_missing_is_a_failure(told: Told) -> None:
    """And the person learns where to type it."""
    told.findings = [BEHIND | {"fix": {"action": "install", "method": "bun", "target": "2.1.330"}}]
    done = told.run("fix", "--apply", "--yes")
    assert done.returncode == 1
    assert "there is no bun on your PATH" in done.stderr


def test_nothing_is_run_where_nobody_can_be_asked(told: Told) -> None:
    """Unless that was said to be right."""
    done = told.run("fix", "--apply")
    assert (done.returncode, told.mended()) == (1, [])
    assert "add --yes" in done.stderr
    assert told.run("fix", "--apply", "--yes").returncode == 0
    assert len(told.mended()) == 1


def test_nothing_is_run_beside_a_session_unless_that_is_said(told: Told) -> None:
    """A session's files are not replaced under it."""
    program = told.laptop.home / ".local/share/claude/versions/2.1.329"
    with standin.started(program):
        done = told.run("fix", "--apply", "--yes")
        assert (done.returncode, told.mended()) == (1, [])
        assert "a session of Claude Code runs" in done.stderr
        assert "--while-running" in done.stderr
        assert told.run("fix", "--apply", "--yes", "--while-running").returncode == 0
    assert len(told.mended()) == 1


def test_a_session_that_has_ended_keeps_nothing_from_being_run(told: Told) -> None:
    """Also one whose arguments could not be read, which is told for a while."""
    program = told.laptop.home / ".local/share/claude/versions/2.1.329"
    with standin.started(program, "600", *(["0"] * (PART_MAX_BYTES // 2))):
        assert "a session of Claude Code runs" in told.run("fix", "--apply", "--yes").stderr
    done = told.run("fix", "--apply", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(told.mended()) == 1


def test_sessions_that_cannot_be_seen_count_as_running(told: Told) -> None:
    """Looking at processes is off, or everything is."""
    told.laptop.settings["scan_processes"] = "false"
    assert "scan_processes is off" in told.run("fix", "--apply", "--yes").stderr
    del told.laptop.settings["scan_processes"]
    told.run("check")
    told.run("pause", "1h")
    told.asked.clear()
    done = told.run("fix", "--apply", "--yes")
    assert "this machine is paused" in done.stderr
    assert (done.returncode, told.mended(), told.asked) == (1, [], [])


def test_what_is_done_by_hand_is_never_run(told: Told) -> None:
    """There is nothing to be asked for either."""
    done = told.run("fix", "setting", "effortLevel", "--apply", "--yes")
    assert (done.returncode, told.mended()) == (0, [])
    assert "there is nothing to run" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fix", "build-behnd"), "did you mean build-behind? parity-agent fix lists what is"),
        (("fix", "--yes"), "go with --apply"),
        (("fix", "--json", "--apply"), "does not go with --apply"),
    ],
)
def test_wrong_usage_is_told(told: Told, words: tuple[str, ...], said: str) -> None:
    """With what would be right."""
    done = told.run(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_matching_machine_has_nothing_to_mend(told: Told) -> None:
    """It says so."""
    told.findings = []
    assert "nothing is to be mended" in told.run("fix").stdout
