"""Which overrides count, what is told of them, and the config hash."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent import digest, wire
from agent.claude_config.key import Kind
from agent.claude_config.keys import load
from agent.claude_config.overrides import (
    OVERRIDES_MAX,
    config_hash,
    public_default,
    resolve,
    told,
    typed_shell,
)
from agent.claude_config.sources import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from tests.agent.claude_config.conftest import Machine

KEYS = load()
CANARY = "Canary7dToken"
LAYERS = ("managed", "user", "state", "environment")
FILE = PurePosixPath("/home/ann/.claude/settings.json")


def _names(kind: str) -> list[str]:
    return sorted(name for known, name in KEYS.known if known == kind)


_CANARIES = st.just(CANARY) | st.text().map(lambda text: f"{text}{CANARY}") | st.just(f"0{CANARY}")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _CANARIES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_CANARIES, inner, max_size=3),
    max_leaves=6,
)
_TOP = st.sampled_from([name for name in _names("setting") if "." not in name]) | _CANARIES
_CHILD = st.sampled_from(sorted({part for name in _names("setting") for part in name.split(".")}))
_SETTINGS = st.dictionaries(
    _TOP, _VALUES | st.dictionaries(_CHILD | _CANARIES, _VALUES, max_size=4), max_size=8
)
_VARIABLES = st.dictionaries(
    st.sampled_from(_names("variable")) | _CANARIES | st.just("ANTHROPIC_SOMETHING"),
    _CANARIES | st.sampled_from(["", "0", "1", "high", "600000"]) | st.none(),
    max_size=8,
)
_SOURCES = st.lists(
    st.builds(Source, st.sampled_from(LAYERS), st.just(FILE), _SETTINGS, _VARIABLES), max_size=4
).map(lambda sources: sorted(sources, key=lambda source: LAYERS.index(source.layer)))


def _config(*sources: Source) -> wire.Config:
    return told(resolve(sources, KEYS), KEYS.revision)


def _user(settings: Mapping[str, object], **variables: str | None) -> Source:
    return Source("user", FILE, settings, variables)


@given(_SOURCES)
def test_no_text_of_a_users_own_is_in_the_bytes_told(sources: list[Source]) -> None:
    """Secrets stand in every place that takes text: names, values, nested ones."""
    config = _config(*sources)
    assert CANARY.encode() not in digest.canonical(config)
    msgspec.convert(msgspec.to_builtins(config), wire.Config)


@given(_SOURCES, st.randoms(use_true_random=False))
def test_the_order_of_keys_in_a_file_changes_nothing(sources: list[Source], random: Random) -> None:
    """One configuration has one canonical form."""
    shuffled = [
        Source(
            source.layer,
            source.file,
            dict(random.sample(list(source.settings.items()), len(source.settings))),
            dict(random.sample(list(source.variables.items()), len(source.variables))),
        )
        for source in sources
    ]
    assert digest.canonical(_config(*shuffled)) == digest.canonical(_config(*sources))


@given(_SETTINGS, _VARIABLES, st.sampled_from(LAYERS[:3]), st.sampled_from(LAYERS[:3]))
def test_the_layer_that_sets_a_key_does_not_change_the_hash(
    settings: dict[str, object], variables: dict[str, str | None], one: str, other: str
) -> None:
    """The same product wherever it was told to behave so."""
    first = Source(one, FILE, settings, variables)
    second = Source(other, FILE, settings, variables)
    assert _config(first).hash == _config(second).hash


@given(_SOURCES, _SETTINGS, _VARIABLES)
def test_keys_of_the_other_classes_do_not_change_the_hash(
    sources: list[Source], settings: dict[str, object], variables: dict[str, str | None]
) -> None:
    """Personal, secret and cosmetic keys are no drift."""
    other = Source(
        "managed",
        FILE,
        {name: settings[name] for name in settings if _class("setting", name) != "behaviour"},
        {name: variables[name] for name in variables if _class("variable", name) != "behaviour"},
    )
    assert _config(other, *sources).hash == _config(*sources).hash


def _class(kind: Kind, name: str) -> str:
    key = KEYS.known.get((kind, name))
    return key.key_class if key else "behaviour"


@given(_SOURCES)
def test_at_most_one_layer_of_a_key_is_effective(sources: list[Source]) -> None:
    """The highest layer that sets a key counts; those below it are shadowed."""
    overrides = _config(*sources).overrides
    effective = [(item.kind, item.key) for item in overrides if not item.shadowed]
    assert len(effective) == len(set(effective))
    assert len({(item.kind, item.key, item.layer) for item in overrides}) == len(overrides)


def test_a_default_is_listed_and_not_hashed() -> None:
    """Saying what is so anyway makes no other product."""
    defaults = {
        key.name: key.default
        for key in KEYS.known.values()
        if key.kind == "setting" and "." not in key.name and key.default is not None
    }
    config = _config(_user(defaults, DISABLE_AUTOUPDATER="0", API_TIMEOUT_MS="600_000"))
    assert len(config.overrides) == len(defaults) + 2
    assert all(item.is_default for item in config.overrides)
    assert config.hash == public_default(KEYS.revision)


def test_a_default_in_a_higher_layer_hides_an_override() -> None:
    """What counts is the effective value."""
    managed = Source("managed", FILE, {"outputStyle": "default"})
    config = _config(managed, _user({"outputStyle": "Learning"}))
    assert [(item.layer, item.is_default, item.shadowed) for item in config.overrides] == [
        ("managed", True, False),
        ("user", False, True),
    ]
    assert config.hash == public_default(KEYS.revision)


def test_a_told_value_changes_the_hash_and_an_untold_one_does_not() -> None:
    """Two URLs are equal as far as told."""
    assert (
        _config(_user({"effortLevel": "low"})).hash != _config(_user({"effortLevel": "high"})).hash
    )
    one = _config(_user({}, ANTHROPIC_BASE_URL="http://one"))
    other = _config(_user({}, ANTHROPIC_BASE_URL="http://other"))
    assert one == other
    assert one.hash != public_default(KEYS.revision)


def test_the_hash_depends_on_the_revision() -> None:
    """Lists classed by other rules do not compare."""
    assert public_default(1) != public_default(2)
    assert public_default(1) == config_hash(1, ())


def test_the_hash_is_of_one_documented_value() -> None:
    """The server can recompute it from the list it got."""
    config = _config(_user({"effortLevel": "low", "unknownKey": 1}, ANTHROPIC_BASE_URL="x"))
    assert config.hash == digest.of_value(
        {
            "revision": KEYS.revision,
            "overrides": [
                ["setting", "effortLevel", "low"],
                ["variable", "ANTHROPIC_BASE_URL", "set"],
            ],
            "unnamed": 1,
        }
    )


def test_an_env_block_replaces_the_shells_variable() -> None:
    """Facts 3.1: per variable, whatever the shell says."""
    shell = Source("environment", FILE, variables={"MAX_THINKING_TOKENS": "1"})
    config = _config(_user({}, MAX_THINKING_TOKENS="2"), shell)
    assert [(item.layer, item.value, item.shadowed) for item in config.overrides] == [
        ("environment", 1, True),
        ("user", 2, False),
    ]


def test_an_empty_variable_is_not_set_and_hides_the_one_below() -> None:
    """The documented way to undo what a start file exports."""
    shell = Source("environment", FILE, variables={"CLAUDE_CODE_USE_VERTEX": "1"})
    config = _config(_user({}, CLAUDE_CODE_USE_VERTEX=""), shell)
    assert [(item.layer, item.shadowed) for item in config.overrides] == [("environment", True)]
    assert config.hash == public_default(KEYS.revision)


def test_any_value_turns_telemetry_off() -> None:
    """Facts 3.5: even 0 turns the fetching of feature flags off."""
    (item,) = _config(_user({}, DISABLE_TELEMETRY="0")).overrides
    assert (item.value, item.is_default) == (True, False)


def test_personal_keys_are_one_entry_a_layer() -> None:
    """Rules, hooks, servers and plugins have names that are a user's own."""
    config = _config(
        _user(
            {
                "permissions": {"allow": [CANARY], "defaultMode": "plan"},
                "hooks": {"Stop": [{"command": CANARY}]},
                "enabledPlugins": {CANARY: True},
                "allowedMcpServers": [],
                "pluginConfigs": {},
            }
        )
    )
    assert [(item.key, item.override_class, item.value) for item in config.overrides] == [
        ("allowedMcpServers", "personal", None),
        ("enabledPlugins", "personal", None),
        ("hooks", "personal", None),
        ("permissions", "personal", None),
    ]


def test_a_nested_key_counts_as_the_longest_name_known() -> None:
    """What no list knows is told as what it stands in."""
    sandbox = {
        "enabled": True,
        "filesystem": {"allowWrite": [CANARY]},
        "credentials": {"files": [CANARY]},
        CANARY: 1,
        "network.allowLocalBinding": True,
    }
    config = _config(_user({"sandbox": sandbox, "sandbox.enabled": True}))
    assert [(item.key, item.override_class, item.value) for item in config.overrides] == [
        ("sandbox", "behaviour", None),
        ("sandbox.credentials", "secret", None),
        ("sandbox.enabled", "behaviour", True),
        ("sandbox.filesystem", "behaviour", None),
    ]
    assert config.unnamed == (wire.Unnamed("user", 1),)


def test_unknown_names_are_counted_where_they_count() -> None:
    """Per layer, each name once; a shell's own variables are none of ours."""
    managed = Source("managed", FILE, {"mine": 1})
    shell = Source("environment", FILE, variables={"MY_TOKEN": "1", "PATH": "2"})
    config = _config(managed, _user({"mine": 2, "other": 3}, MY_SHELL="x"), shell)
    assert config.unnamed == (wire.Unnamed("managed", 1), wire.Unnamed("user", 2))
    assert config.overrides == ()


def test_the_laptop_names_what_is_not_told() -> None:
    """A person can find the key; a name cannot write to their terminal."""
    local = resolve([_user({"mine\x1b": CANARY})], KEYS)
    assert [(item.name, item.named, item.file, item.value) for item in local] == [
        ("mine\\x1b", False, FILE, None)
    ]


def test_further_overrides_are_counted_and_said_to_be(machine: Machine) -> None:
    """A list that would not fit is cut, never silently, and still changes the hash."""
    names = [f"CLAUDE_X_{number}" for number in range(OVERRIDES_MAX + 5)]
    machine.user({"env": dict.fromkeys(names, "1"), "hooks": {"Stop": []}})
    facts = machine.examine()
    assert len(facts.config.overrides) == OVERRIDES_MAX
    assert facts.config.unnamed == (wire.Unnamed("user", 5),)
    assert [problem.reason for problem in facts.problems] == [
        "more than 400 overrides: the rest is counted without names"
    ]


def test_three_overrides_of_a_users_settings_are_explained(machine: Machine) -> None:
    """An effort, an endpoint with a token in it, and telemetry off."""
    machine.user(
        {
            "effortLevel": "low",
            "env": {"ANTHROPIC_BASE_URL": f"https://x:{CANARY}@h", "DISABLE_TELEMETRY": "1"},
        }
    )
    facts = machine.examine()
    assert [(item.kind, item.key, item.value) for item in facts.config.overrides] == [
        ("setting", "effortLevel", "low"),
        ("variable", "ANTHROPIC_BASE_URL", None),
        ("variable", "DISABLE_TELEMETRY", True),
    ]
    assert facts.config.hash != public_default(facts.config.revision)
    assert facts.problems == ()
    assert CANARY not in repr(facts)


def test_a_machine_without_settings_is_the_public_default(machine: Machine) -> None:
    """The well-known hash of the empty list."""
    config = machine.examine().config
    assert config == wire.Config(KEYS.revision, public_default(KEYS.revision))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(_TOP | _CHILD | st.just("env"), inner),
        max_leaves=15,
    )
)
def test_any_json_gives_a_config_that_the_wire_takes(value: object) -> None:
    """Total over everything that a settings file may hold."""
    settings = json.loads(json.dumps(value))
    config = _config(_user(settings if isinstance(settings, dict) else {}))
    msgspec.convert(msgspec.to_builtins(config), wire.Config)


def test_the_typing_shell_is_shown_apart() -> None:
    """Its own variables, values only where they might be told; nothing else of it."""
    shown = typed_shell(
        {
            "PATH": "/bin",
            "CLAUDECODE": "1",
            "ANTHROPIC_API_KEY": CANARY,
            "CLAUDE_CODE_EFFORT_LEVEL": "max",
            "DISABLE_UPDATES": "",
        }
    )
    assert [(item.name, item.layer, item.override_class, item.value) for item in shown] == [
        ("ANTHROPIC_API_KEY", "shell", "secret", None),
        ("CLAUDE_CODE_EFFORT_LEVEL", "shell", "behaviour", "max"),
    ]
