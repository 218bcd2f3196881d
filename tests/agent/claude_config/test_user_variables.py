"""Variables that a system gives to every program of a user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agent.claude_config.overrides import examine
from agent.claude_config.user_variables import assigned
from agent.testing import recorded

if TYPE_CHECKING:
    from agent.claude_config.overrides import ConfigFacts
    from tests.agent.claude_config.conftest import Machine

TREES = Path(__file__).parents[2] / "golden" / "hosts" / "config"
CANARY = "canary-4711"


def golden(system: str) -> ConfigFacts:
    """The configuration of a recorded laptop."""
    return examine(recorded((TREES / f"{system}.toml").read_text(encoding="utf-8")))


def variables(facts: ConfigFacts) -> list[tuple[str, object, str]]:
    """Name, value and file of the variables that are shown."""
    return [(each.name, each.value, str(each.file)) for each in facts.local if each.layer == LAYER]


LAYER = "environment"


def test_on_windows_the_users_variables_stand_over_the_machines() -> None:
    """Whatever their capitals; an empty one is not set, and no other name is looked at."""
    facts = golden("win32")
    machine = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
    assert variables(facts) == [
        ("API_TIMEOUT_MS", 2, "HKCU\\Environment"),
        ("ANTHROPIC_AUTH_TOKEN", None, machine),
    ]
    assert facts.problems == ()


def test_on_linux_start_files_stand_over_what_systemd_reads() -> None:
    """The last of its files first; what a start file empties is not set."""
    facts = golden("linux")
    folder = "/home/u/.config/environment.d"
    assert variables(facts) == [
        ("API_TIMEOUT_MS", 1, "/etc/environment"),
        ("MCP_TIMEOUT", 1, "/etc/environment"),
        ("MCP_TOOL_TIMEOUT", 4, f"{folder}/20-second.conf"),
        ("CLAUDE_CONFIG_DIR", None, f"{folder}/20-second.conf"),
        ("ANTHROPIC_BASE_URL", None, f"{folder}/20-second.conf"),
    ]
    assert facts.problems == ()


def test_a_folder_named_there_is_a_second_configuration() -> None:
    """Its memory is the user's."""
    facts = golden("linux")
    files = [(each.name, str(each.file)) for each in facts.local if each.kind == "file"]
    assert ("memory", "/home/u/other/CLAUDE.md") in files


@pytest.mark.parametrize("system", ["linux", "win32"])
def test_values_and_other_names_stay(system: str) -> None:
    """Tokens, addresses and whatever else a user keeps there."""
    facts = golden(system)
    assert CANARY.encode() not in msgspec.json.encode((facts.config, facts.problems))
    assert "MY_TOKEN" not in repr(facts.local)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("X=1", "1"),
        ("  X=a b  ", "a b"),
        ("X='a b'", "a b"),
        ('X="$HOME/x"', "/home/u/x"),
        ("X=${HOME}", "/home/u"),
        ("X=$HOMES", None),
        ("X=${Y:-1}", None),
        ("X=a\\\nb", "ab"),
        ("X=", ""),
    ],
)
def test_a_value_is_known_where_no_other_variable_is_in_it(text: str, value: str | None) -> None:
    """environment.d(5)."""
    assert assigned(text, "/home/u") == {"X": value}


@pytest.mark.parametrize("text", ["# X=1", "X", "export X=1", "1X=1", ""])
def test_a_line_that_assigns_nothing_is_skipped(text: str) -> None:
    """It is no shell's file."""
    assert assigned(text, "/home/u") == {}


def test_a_file_that_cannot_be_read_is_a_problem(machine: Machine) -> None:
    """Told without its path."""
    (machine.home / ".config/environment.d/1.conf").mkdir(parents=True)
    (problem,) = machine.examine().problems
    assert problem.reason.startswith("environment: a file cannot be read (E")
