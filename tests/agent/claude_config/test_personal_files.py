"""Which kinds of files a user has, on recorded laptops and a scratch machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agent.claude_config.overrides import examine, public_default
from agent.testing import recorded
from agent.wire import Problem

if TYPE_CHECKING:
    from agent.claude_config.overrides import ConfigFacts
    from tests.agent.claude_config.conftest import Machine

TREES = Path(__file__).parents[2] / "golden" / "hosts" / "config"
CANARY = "canary-4711"


def golden(system: str) -> ConfigFacts:
    """The configuration of a recorded laptop."""
    return examine(recorded((TREES / f"{system}.toml").read_text(encoding="utf-8")))


def kinds(facts: ConfigFacts) -> list[tuple[str, str, str]]:
    """Key, layer and class of what is told of files."""
    found = [each for each in facts.config.overrides if each.kind == "file"]
    assert not any(each.shadowed or each.is_default or each.value for each in found)
    return [(each.key, each.layer, each.override_class) for each in found]


def test_each_kind_is_told_once_in_its_layer() -> None:
    """Memory is the user's and the organisation's; neither hides the other."""
    facts = golden("darwin")
    assert kinds(facts) == [
        ("agents", "user", "personal"),
        ("commands", "user", "personal"),
        ("custom-oauth-state", "state", "behaviour"),
        ("desktop-mcp-servers", "user", "personal"),
        ("mcp-servers", "state", "personal"),
        ("memory", "managed", "personal"),
        ("memory", "user", "personal"),
        ("output-styles", "user", "personal"),
        ("plugins", "user", "personal"),
        ("rules", "user", "personal"),
        ("skills", "user", "personal"),
        ("workflows", "user", "personal"),
    ]
    assert facts.problems == ()


def test_of_two_configurations_the_one_in_use_is_shown() -> None:
    """What has the wrong ending, an empty list and no installed plugin are nothing."""
    facts = golden("win32")
    assert kinds(facts) == [
        ("desktop-mcp-servers", "user", "personal"),
        ("local-oauth-state", "state", "behaviour"),
        ("mcp-servers", "state", "personal"),
        ("skills", "user", "personal"),
    ]
    shown = {each.name: str(each.file) for each in facts.local}
    assert shown["skills"] == "D:\\claude\\skills"
    assert shown["local-oauth-state"] == "D:\\claude\\.claude-local-oauth.json"


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_neither_names_nor_contents_are_told_or_shown(system: str) -> None:
    """The laptop shows the folder alone."""
    facts = golden(system)
    assert CANARY.encode() not in msgspec.json.encode((facts.config, facts.problems))
    assert CANARY not in repr(facts.local)


def test_a_prompt_is_not_opened(machine: Machine) -> None:
    """A pipe in its place would hang whoever opened it, and is no prompt."""
    for name in ("CLAUDE.md", "skills/one/SKILL.md"):
        path = machine.home / ".claude" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
    machine.write(machine.home / ".claude/rules/a.md", "x")
    (machine.home / ".claude/rules/a.md").chmod(0)
    facts = machine.examine()
    assert kinds(facts) == [("rules", "user", "personal")]
    assert facts.problems == ()


@pytest.mark.parametrize("name", ["CLAUDE.md", "agents/.hidden.md", "agents/a.txt", "skills/a/b"])
def test_an_empty_or_other_file_is_none_of_them(machine: Machine, name: str) -> None:
    """Only what Claude Code would read."""
    machine.write(machine.home / ".claude" / name, "")
    assert kinds(machine.examine()) == []


def test_what_users_have_too_changes_no_hash(machine: Machine) -> None:
    """Personal; state of another sign-in is not, and does."""
    machine.write(machine.home / ".claude/CLAUDE.md", "x")
    config = machine.examine().config
    assert config.hash == public_default(config.revision)
    machine.write(machine.home / ".claude-staging-oauth.json", "")
    config = machine.examine().config
    assert config.hash != public_default(config.revision)


def test_a_folder_that_appears_is_watched(machine: Machine) -> None:
    """The next cycle does not wait."""
    watched = machine.examine().watch
    for name in ("CLAUDE.md", "agents", "skills", "skills/synced", "plugins/cache"):
        assert machine.home / ".claude" / name in watched


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "user: not valid JSON"),
        ("[]", "user: not one JSON object, or a number out of range"),
    ],
)
def test_a_damaged_file_of_the_desktop_app_is_a_problem(
    machine: Machine, text: str, reason: str
) -> None:
    """And the rest goes on."""
    machine.write(machine.home / ".config/Claude/claude_desktop_config.json", text)
    machine.user({"model": "opus"})
    facts = machine.examine()
    assert facts.problems == (Problem("claude_config", reason),)
    assert [each.key for each in facts.config.overrides] == ["model"]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ('{"x": {"command": "x"}}', True),
        (' { "x" :1}', True),
        ("{ }", False),
        ("[1]", False),
        ("null", False),
        ('"x"', False),
    ],
)
def test_servers_are_there_if_their_object_names_one(
    machine: Machine, block: str, *, told: bool
) -> None:
    """Beside it the state's settings still count."""
    machine.write(
        machine.home / ".claude.json", f'{{"mcpServers": {block}, "autoConnectIde": true}}'
    )
    facts = machine.examine()
    assert kinds(facts) == ([("mcp-servers", "state", "personal")] if told else [])
    assert "autoConnectIde" in [each.key for each in facts.config.overrides]
    assert facts.problems == ()
