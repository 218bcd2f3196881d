"""Reading the layers of a scratch machine."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.claude_config import layers
from agent.claude_config.sources import SETTINGS_MAX_BYTES, SNIPPETS_MAX
from agent.host import Host
from agent.wire import Problem

if TYPE_CHECKING:
    from tests.agent.claude_config.conftest import Machine

READ = (
    "home/.claude/settings.json",
    "home/.claude/remote-settings.json",
    "home/.claude/cache/model-catalog/catalog.json",
    "home/.claude.json",
    "home/.config/Claude/claude_desktop_config.json",
    "home/.config/environment.d/1.conf",
    "home/.bashrc",
    "root/etc/claude-code/managed-settings.json",
    "root/etc/claude-code/managed-settings.d/10.json",
    "root/etc/environment",
)
"""Every kind of file whose contents are looked at."""


def _layers(machine: Machine) -> list[tuple[str, object, object]]:
    found = layers.read(machine.host)
    return [(item.layer, dict(item.settings), dict(item.variables)) for item in found.sources]


def test_an_empty_machine_has_no_layers_and_no_problems(machine: Machine) -> None:
    """Nothing there is nothing wrong."""
    found = layers.read(machine.host)
    assert (found.sources, found.problems) == ((), ())
    assert machine.home / ".claude/settings.json" in found.watch


def test_layers_come_highest_first(machine: Machine) -> None:
    """Managed snippets over the managed file, user, state, then the shell's last file."""
    machine.managed({"model": "opus"})
    machine.managed({"model": "haiku"}, "managed-settings.d/10.json")
    machine.managed({"model": "fable"}, "managed-settings.d/20.json")
    machine.managed({"model": "no"}, "managed-settings.d/.hidden.json")
    machine.managed({"model": "no"}, "managed-settings.d/readme.txt")
    machine.user({"model": "sonnet", "env": {"DEBUG": 1}})
    machine.write(machine.home / ".claude.json", '{"autoConnectIde": true, "userID": "x"}')
    machine.write(machine.home / ".profile", "export DEBUG=2 API_TIMEOUT_MS=2")
    machine.write(machine.home / ".bashrc", "export DEBUG=3")
    assert _layers(machine) == [
        ("managed", {"model": "fable"}, {}),
        ("managed", {"model": "haiku"}, {}),
        ("managed", {"model": "opus"}, {}),
        ("user", {"model": "sonnet"}, {"DEBUG": "1"}),
        ("state", {"autoConnectIde": True}, {}),
        ("environment", {}, {"DEBUG": "3"}),
        ("environment", {}, {"API_TIMEOUT_MS": "2"}),
    ]


def test_a_second_configuration_is_read_before_the_usual_one(machine: Machine) -> None:
    """``CLAUDE_CONFIG_DIR`` in a start file names one (facts 3.3, 3.5)."""
    machine.write(machine.home / ".bashrc", "export CLAUDE_CONFIG_DIR=$HOME/other")
    machine.user({"model": "opus"})
    machine.write(machine.home / "other/settings.json", '{"model": "haiku"}')
    machine.write(machine.home / "other/.claude.json", '{"diffTool": "terminal"}')
    machine.write(machine.home / ".claude.json", '{"diffTool": "auto"}')
    assert [(layer, settings) for layer, settings, _ in _layers(machine)][:4] == [
        ("user", {"model": "haiku"}),
        ("user", {"model": "opus"}),
        ("state", {"diffTool": "terminal"}),
        ("state", {"diffTool": "auto"}),
    ]


def test_the_agents_own_environment_names_a_folder_where_no_file_does(machine: Machine) -> None:
    """A start file's word is stronger, and none of the agent's other variables counts."""
    machine.write(machine.home / "other/settings.json", '{"model": "haiku"}')
    machine.environment["CLAUDE_CONFIG_DIR"] = str(machine.home / "other")
    machine.environment["DISABLE_TELEMETRY"] = "1"
    assert _layers(machine) == [("user", {"model": "haiku"}, {})]
    machine.write(machine.home / ".bashrc", "export CLAUDE_CONFIG_DIR=$HOME/third")
    assert [settings for _, settings, _ in _layers(machine)] == [{}]


@pytest.mark.parametrize("folder", ["relative", "$UNKNOWN/x"])
def test_a_configuration_folder_that_is_not_known_is_a_problem(
    machine: Machine, folder: str
) -> None:
    """It cannot be read, and silence would hide it."""
    machine.write(machine.home / ".bashrc", f"export CLAUDE_CONFIG_DIR={folder}")
    reason = "user: the folder that CLAUDE_CONFIG_DIR names is not known"
    assert layers.read(machine.host).problems == (Problem("claude_config", reason),)


def test_a_non_empty_legacy_state_file_is_the_one_in_use(machine: Machine) -> None:
    """Facts 3.3: ``<config dir>/.config.json``."""
    machine.write(machine.home / ".claude.json", '{"diffTool": "auto"}')
    machine.write(machine.home / ".claude/.config.json", '{"diffTool": "terminal"}')
    assert _layers(machine) == [("state", {"diffTool": "terminal"}, {})]
    machine.write(machine.home / ".claude/.config.json", "")
    assert _layers(machine) == [("state", {"diffTool": "auto"}, {})]


def test_a_fish_user_has_fish_files(new_machine: Callable[[str], Machine]) -> None:
    """Snippets before the main file, bash files not at all."""
    machine = new_machine("fish")
    fish = machine.home / ".config/fish"
    machine.write(machine.home / ".bashrc", "export DEBUG=0")
    machine.write(fish / "fish_variables", "SETUVAR --export DEBUG:1\nSETUVAR --export A:1")
    machine.write(fish / "conf.d/a.fish", "set -gx DEBUG 2; set -gx B 2")
    machine.write(fish / "config.fish", "set -gx DEBUG 3")
    assert [variables for _, _, variables in _layers(machine)] == [
        {"DEBUG": "3"},
        {"B": "2"},
        {"A": "1"},
    ]


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ("bash", {"root/etc/environment": "DEBUG=1"}),
        ("bash", {"root/etc/profile.d/ai.sh": "export DEBUG=1"}),
        ("bash", {"home/.bashrc": ". ~/.exports", "home/.exports": "export DEBUG=1"}),
        ("bash", {"home/.bash_profile": "export DEBUG=1", "home/.profile": "export DEBUG=0"}),
        (
            "zsh",
            {"home/.zshenv": "ZDOTDIR=~/.config/zsh", "home/.config/zsh/.zshrc": "export DEBUG=1"},
        ),
        ("zsh", {"home/.zshrc": "export DEBUG=1", "home/.bashrc": "export DEBUG=0"}),
        ("ksh", {"home/.profile": "export DEBUG=1"}),
    ],
)
def test_variables_are_read_where_the_login_shell_reads_them(
    new_machine: Callable[[str], Machine], shell: str, files: dict[str, str]
) -> None:
    """Sourced and moved files count; one that this shell never reads does not."""
    machine = new_machine(shell)
    for name, text in files.items():
        machine.write(machine.home.parent / name, text)
    assert [found for _, _, found in _layers(machine) if found] == [{"DEBUG": "1"}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "user: not valid JSON"),
        ("[]", "user: not one JSON object, or a number out of range"),
        ('{"env": []}', "user: env is not an object"),
        (" " * (SETTINGS_MAX_BYTES + 1), "user: a file is too large to read"),
    ],
)
def test_a_damaged_file_is_a_problem_and_the_other_layers_go_on(
    machine: Machine, text: str, reason: str
) -> None:
    """The reason names the layer and no path."""
    machine.write(machine.home / ".claude/settings.json", text)
    machine.managed({"model": "opus"})
    found = layers.read(machine.host)
    assert found.problems == (Problem("claude_config", reason),)
    assert found.sources[0].settings == {"model": "opus"}


@given(st.binary(max_size=64), st.sampled_from(READ))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_a_file_holds_the_other_layers_go_on(
    machine: Machine, data: bytes, name: str
) -> None:
    """No file can keep the rest from being told."""
    machine.write(machine.home.parent / name, "")
    (machine.home.parent / name).write_bytes(data)
    machine.managed({"effortLevel": "low"}, "managed-settings.d/00.json")
    found = layers.read(machine.host)
    assert {"effortLevel": "low"} in [source.settings for source in found.sources]
    (machine.home.parent / name).unlink()


def test_a_folder_in_a_files_place_is_a_problem(machine: Machine) -> None:
    """Whatever the system says, the path is not in the reason."""
    (machine.home / ".claude/settings.json").mkdir(parents=True)
    (problem,) = layers.read(machine.host).problems
    assert problem.reason.startswith("user: a file cannot be read (E")
    assert str(machine.home) not in problem.reason


def test_too_many_managed_files_are_a_problem(machine: Machine) -> None:
    """A folder cannot keep the agent busy."""
    for number in range(SNIPPETS_MAX + 1):
        machine.managed({"model": "opus"}, f"managed-settings.d/{number:03}.json")
    found = layers.read(machine.host)
    assert len(found.sources) == SNIPPETS_MAX
    assert "only the first 100 files" in found.problems[0].reason


def test_files_that_hold_secrets_are_never_opened(machine: Machine) -> None:
    """Facts 3.3, the "never" list: a pipe in their place would hang whoever opened it."""
    for name in (".credentials.json", ".device-keys.json", "history.jsonl"):
        path = machine.home / ".claude" / name
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path)
    found = layers.read(machine.host)
    assert found.problems == ()
    assert not {"credentials", "device-keys", "history"} & {
        word for path in found.watch for word in Path(path).name.split(".")
    }


def test_the_error_of_a_file_is_told_by_its_code(machine: Machine) -> None:
    """A loop of links is one that every system can have."""
    path = machine.home / ".claude/settings.json"
    path.parent.mkdir()
    path.symlink_to(path)
    (problem,) = layers.read(machine.host).problems
    assert problem.reason == f"user: a file cannot be read ({errno.errorcode[errno.ELOOP]})"


def test_every_file_read_is_watched(machine: Machine) -> None:
    """A changed setting is seen by a stat of these."""
    machine.user({"model": "opus"})
    machine.managed({"a": json.dumps({})})
    found = layers.read(machine.host)
    assert {source.file for source in found.sources} <= set(found.watch)


class Watched:
    """A host that notes which files are read."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.files: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._host, name)

    def read(self, path: PurePath, *, max_bytes: int) -> bytes:
        """Notes the file's name, and reads it."""
        self.files.append(path.name)
        return self._host.read(path, max_bytes=max_bytes)


def test_a_large_state_file_is_read_once_until_it_changes(machine: Machine) -> None:
    """Claude Code's own state grows to megabytes; unchanged, it is not read again."""
    history = ', "history": "' + "x" * SETTINGS_MAX_BYTES + '"}'
    file = machine.home / ".claude.json"
    seen: list[tuple[object, bool]] = []
    for mode in ("auto", "auto", "terminal"):
        if not seen or mode == "terminal":
            machine.write(file, f'{{"diffTool": "{mode}"{history}')
        watched = Watched(machine.host)
        found = layers.read(cast("Host", watched))
        (source,) = (each for each in found.sources if each.layer == "state")
        seen.append((source.settings["diffTool"], ".claude.json" in watched.files))
        assert file in found.watch
    assert seen == [("auto", True), ("auto", False), ("terminal", True)]
