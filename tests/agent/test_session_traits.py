"""What a session was started with, by the keys that are listed."""

from pathlib import Path

import pytest

from agent import session_traits, surfaces, wire
from agent.claude_config.overrides import LocalOverride
from agent.claude_config.session_overrides import Trait
from agent.discover.interface import SDK
from agent.host import Host
from agent.started import LONG, Started
from agent.testing import recorded

HOSTS = Path(__file__).parents[1] / "golden" / "hosts" / "sessions"


@pytest.fixture
def host() -> Host:
    """A recorded machine on which sessions were started in several ways."""
    return recorded((HOSTS / "started.toml").read_text("utf-8"))


def read(host: Host, pid: int) -> Started:
    """What is taken of one process."""
    process = next(each for each in host.processes() if each.pid == pid)
    return session_traits.read(host, process, is_script=pid == 64)


def test_of_values_only_what_may_be_told_is_taken(host: Host) -> None:
    """A prompt, a token and an address are known to be there, and not what they say."""
    found = read(host, 61)
    assert found.flags == {"model": "opus", "append-system-prompt": None, "mcp-config": None}
    assert found.variables == {
        "ANTHROPIC_API_KEY": None,
        "ANTHROPIC_BASE_URL": None,
        "CLAUDE_CODE_EFFORT_LEVEL": "low",
        "DISABLE_TELEMETRY": "1",
    }
    assert found.unread == ()


def test_a_scripts_own_flags_are_taken(host: Host) -> None:
    """Not those of its runtime."""
    assert read(host, 64).flags == {"effort": "high"}


@pytest.mark.parametrize(
    ("pid", "surface"), [(61, None), (62, surfaces.BACKGROUND), (63, surfaces.OTHER), (64, None)]
)
def test_a_helper_is_known_by_its_first_word(host: Host, pid: int, surface: str | None) -> None:
    """Facts 4.1."""
    assert session_traits.surface(read(host, pid)) == surface


def test_a_program_that_starts_the_terminals_copy_is_known_by_its_entry_point(host: Host) -> None:
    """As an SDK without a copy of its own does; the variable itself is no override."""
    found = read(host, 67)
    assert session_traits.surface(found) == SDK
    assert [each.name for each in session_traits.traits(found) if each.kind == "variable"] == []


def test_what_is_told_is_shown_the_same() -> None:
    """By no file, in the layer of sessions."""
    traits = [
        Trait("flag", "model", "opus"),
        Trait("flag", "resume", None),
        Trait("variable", "ANTHROPIC_API_KEY", None),
    ]
    told = session_traits.told(traits)
    assert told == (
        wire.Override("flag", "model", "session", "behaviour", "opus"),
        wire.Override("variable", "ANTHROPIC_API_KEY", "session", "secret"),
    )
    assert session_traits.shown(told) == (
        LocalOverride("flag", "model", "session", "behaviour", None, "opus"),
        LocalOverride("variable", "ANTHROPIC_API_KEY", "session", "secret", None),
    )


def test_what_could_not_be_seen_is_a_problem_of_sessions() -> None:
    """With its reason, and nothing of the session."""
    problem = session_traits.problem(("variables", LONG))
    assert problem == wire.Problem("sessions", "a session's variables are longer than what is read")
