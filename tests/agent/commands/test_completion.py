"""Completion as shells have it: bash really loads it, the others get click's own."""

import subprocess

import pytest
from click.shell_completion import get_completion_class

from agent.cli import cli
from tests.agent.commands.words import BEHIND, OVERRIDDEN, Told
from tests.agent.receiver import Receiver
from tests.e2e.harness import COMMANDS, Laptop

BASH = """
eval "$(parity-agent completion bash)"
export $THEN
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_parity_agent_completion parity-agent
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(laptop: Laptop, *words: str, then: str = "") -> set[str]:
    """What bash offers for the last of some words, after a variable was set."""
    environment = laptop.environment
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", "parity-agent", *words],
        env=environment | {"PATH": f"{COMMANDS}:{environment['PATH']}", "THEN": then or "A=b"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return set(done.stdout.split("\n")) - {""}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_clicks_own_source(laptop: Laptop, shell: str) -> None:
    """For the command's name, and with the variable that the command listens to."""
    kind = get_completion_class(shell)
    assert kind is not None
    done = laptop.run("completion", shell)
    expected = kind(cli, {}, "parity-agent", "_PARITY_AGENT_COMPLETE").source()
    assert (done.returncode, done.stdout) == (0, f"{expected}\n")


def test_bash_completes_commands_and_options(laptop: Laptop) -> None:
    """Of a laptop that is not even enrolled, and nothing is made for it."""
    assert completed(laptop, "sta") == {"status"}
    assert {"check", "explain", "fix", "pause"} <= completed(laptop, "")
    assert completed(laptop, "fix", "--wh") == {"--while-running"}
    assert completed(laptop, "completion", "") == {"bash", "zsh", "fish"}
    assert completed(laptop, "explain", "") == set()
    assert not laptop.state.exists()


def test_bash_completes_codes_and_findings(laptop: Laptop, receiver: Receiver) -> None:
    """Those that the server told; without asking it again."""
    told = Told(laptop, receiver, [BEHIND, OVERRIDDEN])
    told.run("check")
    told.asked.clear()
    assert completed(laptop, "explain", "build-b") == {"build-behind"}
    assert {"drift", "updates-off"} <= completed(laptop, "explain", "")
    subjects = {"npm global 2.1.329", "setting effortLevel"}
    assert completed(laptop, "fix", "") == {"build-behind", "config-overridden"} | subjects
    assert completed(laptop, "fix", "setting", "eff") == {"effortLevel"}
    assert told.asked == []


def test_a_damaged_setting_completes_nothing_and_prints_nothing(
    laptop: Laptop, receiver: Receiver
) -> None:
    """A key pressed in a shell is answered in silence."""
    told = Told(laptop, receiver, [BEHIND])
    told.run("check")
    assert completed(laptop, "fix", "bu") == {"build-behind"}
    assert completed(laptop, "fix", "bu", then="PARITY_AGENT_SPREAD_S=soon") == set()


def test_every_command_tells_its_exit_codes() -> None:
    """In its help, where scripts' writers look."""
    for name, command in cli.commands.items():
        words = [command, *getattr(command, "commands", {}).values()]
        assert any("Exits with 0" in str(each.help) for each in words), name
