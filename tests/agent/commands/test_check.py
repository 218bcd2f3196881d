"""``check`` where something stands in its way: the server, a pipe, a full disk."""

import json
import subprocess

import pytest

from tests.agent.commands.words import BEHIND, Told
from tests.agent.receiver import Receiver
from tests.e2e.harness import COMMANDS, Laptop


@pytest.fixture
def told(laptop: Laptop, receiver: Receiver) -> Told:
    """A laptop that stands as drift."""
    return Told(laptop, receiver, [BEHIND])


def printed_to(told: Told, where: str) -> subprocess.CompletedProcess[str]:
    """A check whose standard output goes elsewhere, and how it ended."""
    script = f'"$0" check {where}; exit "${{PIPESTATUS[0]}}"'
    return subprocess.run(
        ["bash", "-c", script, str(COMMANDS / "parity-agent")],
        env=told.laptop.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_an_answer_what_was_found_is_told_all_the_same(told: Told) -> None:
    """With why there is none, and as a failure."""
    told.go_away()
    done = told.run("check")
    assert done.returncode == 1
    assert "the server gave no verdict: the server answered 502" in done.stdout
    for block in ("INSTALLS", "OVERRIDES", "effortLevel"):
        assert block in done.stdout
    assert "what to do: " in done.stderr
    as_json = told.run("check", "--json")
    value = json.loads(as_json.stdout)
    assert (as_json.returncode, value["machine"], value["paused"]) == (1, None, None)
    assert value["local"]["overrides"][0]["key"] == "effortLevel"
    assert value["error"]["what"] == "the server answered 502"
    assert value["error"]["advice"]


def test_a_reader_who_has_read_enough_changes_no_exit_code(told: Told) -> None:
    """That of the verdict, and nothing is said."""
    done = printed_to(told, "| head -1")
    assert (done.returncode, done.stderr) == (10, "")
    assert len(done.stdout.splitlines()) == 1


def test_an_output_that_is_full_is_two_lines(told: Told) -> None:
    """What happened, and what to do."""
    done = printed_to(told, "> /dev/full")
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert "standard output cannot be written: No space left" in first
    assert second.startswith("what to do: ")
