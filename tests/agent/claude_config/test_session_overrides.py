"""What running sessions were started with, and where it stands among what files set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import digest, wire
from agent.claude_config.keys import load
from agent.claude_config.overrides import public_default
from agent.claude_config.session_overrides import (
    Trait,
    told,
    wanted_flag,
    wanted_variable,
    with_session,
)

if TYPE_CHECKING:
    from tests.agent.claude_config.conftest import Machine

CANARY = "Canary7dToken"
_NAMES = {
    kind: st.sampled_from(sorted(name for known, name in load().known if known == kind))
    for kind in ("flag", "variable")
}
_RAW = st.none() | st.just(CANARY) | st.just("") | st.sampled_from(["1", "high", "user", "on"])


def _traits(kind: Literal["flag", "variable"]) -> st.SearchStrategy[Trait]:
    return st.builds(Trait, st.just(kind), _NAMES[kind] | st.just(CANARY), _RAW)


def flag(name: str, raw: str | None = None) -> Trait:
    """A flag of a session."""
    return Trait("flag", name, raw)


def variable(name: str, raw: str) -> Trait:
    """A variable of a session."""
    return Trait("variable", name, raw)


def told_pairs(*traits: Trait) -> list[tuple[str, object]]:
    """Names and values told of these."""
    return [(item.name, item.value) for item in told(traits)]


@pytest.mark.parametrize(
    ("word", "name", "takes_value"),
    [
        ("--model", "model", True),
        ("--allowed-tools", "allowedTools", True),
        ("--allowedTools", "allowedTools", True),
        ("-p", "print", False),
        ("-n", "name", True),
        ("--resume", "resume", False),
        ("--bare", "bare", False),
        ("--system-prompt-snapshot", "system-prompt-snapshot", True),
        ("--chrome", "chrome", False),
    ],
)
def test_a_flag_is_known_by_each_of_its_names(word: str, name: str, *, takes_value: bool) -> None:
    """Facts 4.6; a value that may be left out is none that has to be skipped."""
    key = wanted_flag(word)
    assert key is not None
    assert (key.name, key.takes_value) == (name, takes_value)


def test_a_word_that_is_no_flag_is_not_wanted() -> None:
    """A prompt may begin with hyphens."""
    assert wanted_flag("--please") is None
    assert wanted_flag("CLAUDE_CODE_SIMPLE") is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ANTHROPIC_MODEL", True),
        ("ANT_ANYTHING", True),
        ("ANTHROPIC_API_KEY", True),
        ("CLAUDECODE", False),
        ("CLAUDE_CODE_SESSION_ID", False),
        ("PATH", False),
    ],
)
def test_only_variables_that_may_be_told_are_wanted(name: str, *, wanted: bool) -> None:
    """Facts 3.5: what Claude Code sets in its children is none of them."""
    assert wanted_variable(name) is wanted


def test_values_are_told_as_the_keys_say() -> None:
    """A prompt and a token are set, a model is a word, a budget a number."""
    assert told_pairs(
        flag("--append-system-prompt", CANARY),
        flag("--model", "opus"),
        flag("--max-thinking-tokens", "64_000"),
        flag("--effort", CANARY),
        flag("--safe-mode"),
        flag("--resume", CANARY),
        variable("ANTHROPIC_AUTH_TOKEN", CANARY),
        variable("DISABLE_TELEMETRY", "0"),
        variable("ANTHROPIC_BASE_URL", ""),
    ) == [
        ("append-system-prompt", None),
        ("effort", None),
        ("max-thinking-tokens", 64000),
        ("model", "opus"),
        ("safe-mode", None),
        ("ANTHROPIC_AUTH_TOKEN", None),
        ("DISABLE_TELEMETRY", True),
    ]


@pytest.mark.parametrize(
    ("raw", "value", "is_default"),
    [
        ("user,project,local", "local-project-user", True),
        ("local, user", "local-user", False),
        ("", None, False),
        (f"user,{CANARY}", None, False),
    ],
)
def test_setting_sources_are_told_in_one_order(
    raw: str, value: str | None, *, is_default: bool
) -> None:
    """All three are what everybody has."""
    (item,) = told([flag("--setting-sources", raw)])
    assert (item.value, item.is_default) == (value, is_default)


def test_sessions_that_differ_tell_that_it_is_set() -> None:
    """Two values are no value; one of them the default, and it still counts."""
    assert told_pairs(flag("--model", "opus"), flag("--model", "haiku")) == [("model", None)]
    assert told_pairs(flag("--model", "opus"), flag("--model", "opus")) == [("model", "opus")]
    (item,) = told([variable("API_TIMEOUT_MS", "600000"), variable("API_TIMEOUT_MS", "5")])
    assert (item.value, item.is_default) == (None, False)


def test_a_sessions_variable_stands_between_settings_and_start_files(machine: Machine) -> None:
    """An ``env`` block replaces it in the session itself, also by emptying it."""
    machine.write(
        machine.home / ".bashrc",
        "export DISABLE_GROWTHBOOK=1 API_TIMEOUT_MS=1 DO_NOT_TRACK=1 MCP_TIMEOUT=1",
    )
    machine.user({"env": {"API_TIMEOUT_MS": "2", "MCP_TIMEOUT": ""}, "model": "opus"})
    found = told(
        [
            variable("API_TIMEOUT_MS", "1"),
            variable("DISABLE_GROWTHBOOK", "0"),
            variable("MCP_TIMEOUT", "1"),
            flag("--model", "haiku"),
        ]
    )
    config = with_session(machine.examine(), found).config
    effective = [item for item in config.overrides if not item.shadowed]
    assert [(item.kind, item.key, item.layer, item.value) for item in effective] == [
        ("flag", "model", "session", "haiku"),
        ("setting", "model", "user", "opus"),
        ("variable", "API_TIMEOUT_MS", "user", 2),
        ("variable", "DISABLE_GROWTHBOOK", "session", False),
        ("variable", "DO_NOT_TRACK", "environment", True),
    ]


def test_a_variable_that_came_from_a_start_file_is_told_as_the_files(machine: Machine) -> None:
    """Whether or not a session runs; its value may be told or not."""
    machine.write(
        machine.home / ".bashrc", "export API_TIMEOUT_MS=5 ANTHROPIC_BETAS=some MCP_TIMEOUT=1"
    )
    without = machine.examine()
    came = [variable("API_TIMEOUT_MS", "5"), variable("ANTHROPIC_BETAS", "some")]
    assert with_session(without, told(came)) == without
    typed = with_session(without, told([*came, variable("MCP_TIMEOUT", "2")])).config.overrides
    assert [(item.key, item.layer, item.value) for item in typed if not item.shadowed] == [
        ("ANTHROPIC_BETAS", "environment", None),
        ("API_TIMEOUT_MS", "environment", 5),
        ("MCP_TIMEOUT", "session", 2),
    ]


def test_what_a_session_turns_off_is_exposure_too(machine: Machine) -> None:
    """Flags are not fetched there, whichever way it was said."""
    facts = machine.examine()
    assert facts.exposure.flags == "on"
    found = told([variable("DISABLE_TELEMETRY", "1")])
    assert with_session(facts, found).exposure.flags_off_by == "DISABLE_TELEMETRY"
    assert with_session(facts, ()) == facts


def test_a_session_as_everybody_starts_it_changes_no_hash(machine: Machine) -> None:
    """Defaults, personal and cosmetic ones."""
    found = told(
        [
            flag("--setting-sources", "user,project,local"),
            flag("--permission-mode", "plan"),
            flag("--system-prompt-snapshot", "on"),
            flag("--continue"),
            variable("CLAUDECODE", "1"),
        ]
    )
    config = with_session(machine.examine(), found).config
    assert [item.key for item in config.overrides] == [
        "permission-mode",
        "setting-sources",
        "system-prompt-snapshot",
    ]
    assert config.hash == public_default(config.revision)


@given(st.lists(_traits("flag") | _traits("variable"), max_size=12))
def test_no_text_of_a_session_is_told_that_the_file_does_not_list(traits: list[Trait]) -> None:
    """Names and values, whatever they are, and in any order."""
    found = told(traits)
    items = [
        wire.Override(item.kind, item.name, item.layer, item.override_class, item.value)
        for item in found
    ]
    assert CANARY.encode() not in digest.canonical(items)
    msgspec.convert(msgspec.to_builtins(items), list[wire.Override])
    assert told(reversed(traits)) == found
