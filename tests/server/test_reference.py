"""What users run, as reference machines show it: nothing that ends with a session."""

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import Config, Override, Profile
from server.reference import DEFAULTS_ONLY, of_profiles
from tests.server import cases

LOW = Override("setting", "effortLevel", "user", "behaviour", "low")
IN_SHELL = Override("variable", "ANTHROPIC_MODEL", "environment", "behaviour", "opus")
STARTED = Override("variable", "ANTHROPIC_MODEL", "session", "behaviour", "haiku")
MODEL = Override("flag", "model", "session", "behaviour", "opus")
MEMORY = Override("file", "memory", "user", "personal")


def machine(*overrides: Override) -> Profile:
    """A reference machine with these overrides."""
    config = Config(1, "sha256:" + "0" * 64, overrides)
    return Profile(1, "linux", "x64", config=config)


def test_flags_of_a_running_session_are_nobodys_default() -> None:
    """Nor are a session's variables, nor files that users have too."""
    seen = of_profiles([machine(LOW, MODEL, STARTED, MEMORY)])
    assert seen.some == seen.all == {("setting", "effortLevel", "low")}


def test_what_a_session_replaces_meanwhile_is_still_what_users_run() -> None:
    """It holds again when the session ends: nobody drifts by it."""
    hidden = msgspec.structs.replace(IN_SHELL, shadowed=True)
    without, with_session = (
        of_profiles([machine(IN_SHELL)]),
        of_profiles([machine(hidden, STARTED)]),
    )
    assert with_session == without
    assert of_profiles([machine(hidden)]).all == frozenset()


def test_a_machine_without_configuration_tells_nothing() -> None:
    """What it could not examine is not a default."""
    assert of_profiles([Profile(1, "linux", "x64")]) == DEFAULTS_ONLY


@given(st.lists(cases.profiles, min_size=1, max_size=3))
def test_no_session_changes_what_users_run(profiles: list[Profile]) -> None:
    """Starting one anywhere, with whatever, leaves every group's expectation as it was."""
    calm = [_without_sessions(each) for each in profiles]
    busy = [_with(each, MODEL, STARTED) for each in calm]
    assert replace(of_profiles(busy), machines=0) == replace(of_profiles(calm), machines=0)


def _without_sessions(profile: Profile) -> Profile:
    kept = (item for item in _overrides(profile) if item.layer != "session")
    return machine(*(item for item in kept if item.key != STARTED.key))


def _with(profile: Profile, *more: Override) -> Profile:
    return machine(*_overrides(profile), *more)


def _overrides(profile: Profile) -> tuple[Override, ...]:
    return profile.config.overrides if profile.config else ()
