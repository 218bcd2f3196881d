"""Which managed source is in force, on recorded laptops of each system."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agent.claude_config import documents
from agent.claude_config.overrides import ConfigFacts, examine
from agent.claude_config.sources import SETTINGS_MAX_BYTES
from agent.testing import RecordedHost, recorded
from agent.wire import Problem

if TYPE_CHECKING:
    from tests.agent.claude_config.conftest import Machine

TREES = Path(__file__).parents[2] / "golden" / "hosts" / "managed"
BEDROCK = "CLAUDE_CODE_USE_BEDROCK"


def golden(system: str) -> ConfigFacts:
    """The configuration of a recorded laptop."""
    return examine(recorded((TREES / f"{system}.toml").read_text(encoding="utf-8")))


def effective(facts: ConfigFacts) -> dict[str, tuple[str, object]]:
    """Layer and value of what counts, by key."""
    return {
        each.key: (each.layer, each.value) for each in facts.config.overrides if not each.shadowed
    }


def windows(**policies: str) -> RecordedHost:
    """A Windows laptop that has these registry policies and nothing else."""
    host = {"system": "win32", "arch": "x64", "home": "C:\\Users\\u", "shell": "cmd"}
    tree: dict[str, Any] = {"origin": {"kind": "facts"}, "host": host, "policies": policies}
    return RecordedHost(tree)


def test_on_a_mac_the_first_source_wins_and_variables_are_merged() -> None:
    """The sent cache has a policy key, so only variables count of what is below it."""
    facts = golden("darwin")
    assert effective(facts) == {
        "DISABLE_TELEMETRY": ("managed", True),
        "DISABLE_GROWTHBOOK": ("managed", True),
        "DO_NOT_TRACK": ("managed", True),
        "managedMcpServers": ("managed", None),
        "effortLevel": ("user", "xhigh"),
    }
    assert facts.problems == ()


def test_on_windows_the_machines_policy_wins_over_files_and_the_users_is_the_last() -> None:
    """Of the files only variables count; the user's policy is not asked, not even for these."""
    facts = golden("win32")
    assert effective(facts) == {
        "effortLevel": ("managed", "low"),
        "DO_NOT_TRACK": ("managed", True),
        "language": ("user", None),
    }
    assert facts.problems == ()
    places = [str(each.file) for each in facts.local if each.name == "effortLevel"]
    assert places == ["HKLM\\SOFTWARE\\Policies\\ClaudeCode", "D:\\claude\\settings.json"]


def test_on_linux_the_last_drop_in_wins_and_an_empty_cache_is_no_policy() -> None:
    """Drop-ins lie over the main file; the servers' file is told without being opened."""
    facts = golden("linux")
    assert effective(facts) == {
        "effortLevel": ("managed", "high"),
        "model": ("managed", "haiku"),
        "managedMcpServers": ("managed", None),
    }
    assert facts.problems == ()


def test_the_users_policy_counts_where_nothing_else_is_managed() -> None:
    """Its settings and variables both; ``$schema`` above it sets no policy."""
    user = '{"model": "opus", "env": {"DISABLE_TELEMETRY": "1"}}'
    facts = examine(windows(machine='{"$schema": "x"}', user=user))
    assert effective(facts) == {
        "model": ("managed", "opus"),
        "DISABLE_TELEMETRY": ("managed", True),
    }


@pytest.mark.parametrize(
    ("user", "applies"),
    [
        ({}, True),
        ({"env": {BEDROCK: "1"}}, False),
        ({"env": {BEDROCK: "0"}}, True),
        ({"env": {"ANTHROPIC_BASE_URL": "https://api.anthropic.com/"}}, True),
        ({"env": {"ANTHROPIC_BASE_URL": "https://proxy.example/"}}, False),
        ({"env": {"ANTHROPIC_BASE_URL": "https://["}}, False),
    ],
)
def test_what_the_server_sent_needs_the_public_endpoint(
    machine: Machine, user: dict[str, Any], *, applies: bool
) -> None:
    """Facts 3.2: not with a third-party provider, not with another endpoint."""
    machine.user(user)
    machine.managed({"effortLevel": "low"})
    sent = '{"effortLevel": "high"}'
    machine.write(machine.home / ".claude/remote-settings.json", sent)
    wanted = "high" if applies else "low"
    assert effective(machine.examine())["effortLevel"] == ("managed", wanted)


def test_the_sent_cache_moves_with_the_configuration(machine: Machine) -> None:
    """``CLAUDE_CONFIG_DIR`` moves all of the folder."""
    machine.write(machine.home / ".bashrc", "export CLAUDE_CONFIG_DIR=$HOME/other")
    machine.write(machine.home / ".claude/remote-settings.json", '{"effortLevel": "low"}')
    machine.write(machine.home / "other/remote-settings.json", '{"effortLevel": "high"}')
    assert effective(machine.examine())["effortLevel"] == ("managed", "high")


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("{", "managed: not valid JSON"),
        ("[]", "managed: not one JSON object, or a number out of range"),
        ('{"env": 1}', "managed: env is not an object"),
        (" " * (SETTINGS_MAX_BYTES + 1), "managed: a registry value is too large to read"),
    ],
)
def test_a_damaged_policy_is_a_problem_and_the_other_goes_on(policy: str, reason: str) -> None:
    """The reason says nothing of what it holds."""
    facts = examine(windows(machine=policy, user='{"effortLevel": "low"}'))
    assert facts.problems == (Problem("claude_config", reason),)
    assert effective(facts) == {"effortLevel": ("managed", "low")}


@pytest.mark.parametrize(
    "text", ["", "no list", "bplist00\u0000", "<plist><dict><key>a</key></dict></plist>"]
)
def test_a_damaged_property_list_is_a_problem_and_the_files_go_on(text: str) -> None:
    """In whatever way it is damaged."""
    host = {"system": "darwin", "arch": "arm64", "home": "/Users/u", "shell": "zsh"}
    files = {
        "/Library/Managed Preferences/com.anthropic.claudecode.plist": {"text": text},
        "/Library/Application Support/ClaudeCode/managed-settings.json": {
            "text": '{"effortLevel": "low"}'
        },
    }
    facts = examine(RecordedHost({"origin": {}, "host": host, "files": files}))
    reason = "managed: not a property list of settings"
    assert facts.problems == (Problem("claude_config", reason),)
    assert effective(facts) == {"effortLevel": ("managed", "low")}


def test_no_secret_of_a_managed_source_is_told() -> None:
    """Values of helpers, tokens and servers stay, from whichever source."""
    canary = "canary-4711"
    policy = json.dumps({"apiKeyHelper": canary, "env": {"ANTHROPIC_API_KEY": canary}})
    for facts in (examine(windows(machine=policy)), examine(windows(user=policy))):
        told = msgspec.json.encode((facts.config, facts.problems))
        assert b"apiKeyHelper" in told
        assert canary.encode() not in told


def test_both_forms_of_a_property_list_say_the_same() -> None:
    """Management tools write either."""
    values: dict[str, object] = {"effortLevel": "low", "cleanupPeriodDays": 7, "fastMode": True}
    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        assert documents.property_list(plistlib.dumps(values, fmt=form)) == values
