"""``keys.toml`` and what it lets leave the laptop."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.claude_config.key import Key
from agent.claude_config.keys import load, parse

KEYS = load()
SETTINGS = Path(__file__).parents[2] / "golden" / "settings"
_ANY_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


def test_the_shipped_file_is_well_formed() -> None:
    """Every entry keeps the rules that the file's header states."""
    assert KEYS.revision >= 1
    assert len(KEYS.known) > 500


@pytest.mark.parametrize("names", ["schema-names.txt", "documented-names.txt"])
def test_every_top_level_setting_that_is_known_publicly_is_listed(names: str) -> None:
    """``env`` is no key: its variables are. The failure names what is missing."""
    known = set((SETTINGS / names).read_text(encoding="utf-8").split()) - {"env"}
    assert sorted(name for name in known if not KEYS.has(name)) == []


@pytest.mark.parametrize(
    "key", [key for key in KEYS.known.values() if key.key_class != "cosmetic"], ids=lambda k: k.name
)
def test_every_key_and_each_of_its_values_fits_the_wire(key: Key) -> None:
    """A name or word that the wire refuses would lose the whole profile."""
    for value in (None, key.default, *key.words):
        item = wire.Override(key.kind, key.name, "user", "behaviour", value)
        msgspec.convert(msgspec.to_builtins(item), wire.Override)


@pytest.mark.parametrize(
    ("kind", "name", "key_class"),
    [
        ("setting", "effortLevel", "behaviour"),
        ("setting", "autoUpdatesChannel", "behaviour"),
        ("setting", "permissions", "personal"),
        ("setting", "hooks", "personal"),
        ("setting", "apiKeyHelper", "secret"),
        ("setting", "theme", "cosmetic"),
        ("variable", "ANTHROPIC_BASE_URL", "behaviour"),
        ("variable", "DISABLE_AUTOUPDATER", "behaviour"),
        ("variable", "DISABLE_TELEMETRY", "behaviour"),
        ("variable", "ANTHROPIC_AUTH_TOKEN", "secret"),
        ("variable", "CLAUDECODE", "cosmetic"),
    ],
)
def test_a_key_has_the_class_that_the_facts_give_it(kind: str, name: str, key_class: str) -> None:
    """A sample of each class, by the name that a user would look for."""
    assert {key.name: key.key_class for key in KEYS.known.values() if key.kind == kind}[
        name
    ] == key_class


@pytest.mark.parametrize(
    "name",
    [
        "CLAUDE_INTERNAL_FC_OVERRIDES",
        "USER_TYPE",
        "ANT_ANYTHING",
        "USE_STAGING_OAUTH",
        "USE_LOCAL_OAUTH",
        "CLAUDE_LOCAL_OAUTH_API_BASE",
        "CLAUDE_CODE_CUSTOM_OAUTH_URL",
        "CLAUDE_CODE_QUIET_OTTER",
    ],
)
def test_a_variable_of_internal_builds_is_told_by_name_alone(name: str) -> None:
    """Red-flag names of facts 3.5 are listed or match the prefix; their values stay."""
    key = KEYS.named("variable", name)
    assert key is not None
    assert (key.key_class, key.told("1")) == ("behaviour", None)


@pytest.mark.parametrize("name", ["PATH", "MY_TOKEN", "CLAUDE_lower", "CLAUDE_", "ANT_" + "A" * 61])
def test_another_variable_has_no_told_name(name: str) -> None:
    """Neither listed nor a Claude Code variable by its prefix."""
    assert KEYS.named("variable", name) is None


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("DISABLE_TELEMETRY", "0", True),
        ("DISABLE_TELEMETRY", "", None),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "false", True),
        ("DISABLE_AUTOUPDATER", "TRUE", True),
        ("DISABLE_AUTOUPDATER", "0", False),
        ("DISABLE_AUTOUPDATER", "perhaps", None),
        ("API_TIMEOUT_MS", "64_000", 64000),
        ("API_TIMEOUT_MS", "2e3", 2000),
        ("API_TIMEOUT_MS", "4111111111111111", None),
        ("API_TIMEOUT_MS", "1e999", None),
        ("CLAUDE_CODE_EFFORT_LEVEL", "max", "max"),
        ("CLAUDE_CODE_EFFORT_LEVEL", "hunter2", None),
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1", None),
        ("MAX_THINKING_TOKENS", None, None),
    ],
)
def test_a_variable_tells_what_claude_code_reads(name: str, text: str | None, told: object) -> None:
    """Truthiness and numbers as the environment variables page has them."""
    key = KEYS.named("variable", name)
    assert key is not None
    assert key.told(text) == told


def test_every_flag_that_the_facts_name_is_listed() -> None:
    """Facts 4.6, by group; the failure names what is missing."""
    named = (SETTINGS / "flag-names.txt").read_text(encoding="utf-8").split()
    assert [name for name in named if KEYS.flag(name) is None] == []


def test_of_a_flag_that_was_given_no_value_only_that_it_is_set_is_told() -> None:
    """Whatever column it has."""
    flags = [key for key in KEYS.known.values() if key.kind == "flag"]
    assert {key.told(None) for key in flags} == {None}


@given(st.sampled_from(sorted(KEYS.known.values(), key=lambda key: key.name)), _ANY_VALUE)
def test_no_text_is_told_that_the_file_does_not_list(key: Key, raw: object) -> None:
    """Whatever stands in a file, only listed words, booleans and small numbers come out."""
    told = key.told(raw)
    assert not isinstance(told, str) or set(told.split("-")) <= key.words or told in key.words
    assert isinstance(told, bool | str | None) or abs(told) <= 2_147_483_647
    assert key.key_class == "behaviour" or told is None


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "revision"),
        ("revision = true", "revision"),
        ("revision = 1\n[odd.setting.a]\nx = 'set'", "odd"),
        ("revision = 1\n[behaviour.odd.a]\nx = 'set'", "odd"),
        ("revision = 1\n[behaviour.setting.a]\nx = 'free text'", "no column"),
        ("revision = 1\n[behaviour.setting.a]\nx = 'any'", "no column"),
        ("revision = 1\n[behaviour.setting.a]\nx = 'number = many'", "may tell"),
        ("revision = 1\n[behaviour.setting.a]\nx = 'set = here'", "may tell"),
        ("revision = 1\n[behaviour.setting.a]\nenv = 'set'", "no name"),
        ("revision = 1\n[behaviour.setting.a]\n'x.y' = 'set'", "not listed itself"),
        ("revision = 1\n[secret.setting.a]\nx = 'boolean'", "list"),
        ("revision = 1\n[behaviour.setting]\na = 1", "table"),
        ("revision = 1\n[behaviour.setting.a]\nx = 'switch'", "no column"),
        ("revision = 1\n[behaviour.flag.a]\nx = 'any'", "no column"),
        ("revision = 1\n[behaviour.flag.a]\nx = 'flag'", "no column"),
        ("revision = 1\n[behaviour.flag.a]\nx = 'a & b = c'", "may tell"),
        ("revision = 1\n[behaviour.flag]\na = ['x']", "table"),
        ("revision = 1\n[personal.flag]\na = ['x | --y']", "no name"),
        ("revision = 1\n[personal.flag]\na = ['x | y', 'y =']", "twice"),
        ("revision = 1\n[behaviour.setting.a]\nx='set'\n[secret.setting]\nb=['x']", "twice"),
    ],
)
def test_a_faulty_file_is_refused(body: str, complaint: str) -> None:
    """A slip in the file is found when it is read, not in a profile."""
    with pytest.raises(ValueError, match=complaint):
        parse(body)
