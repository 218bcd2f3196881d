"""What a service starts."""

from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.service import launch
from agent.settings import Settings

ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/home/ada",
    "AWS_SECRET_ACCESS_KEY": "canary",
    "ANTHROPIC_API_KEY": "canary",
    "PARITY_AGENT_ENROL_SECRET": "canary",
    "PARITY_AGENT_LABEL": "desk",
    "https_proxy": "http://proxy.example.com:3128",
    "NO_PROXY": "localhost",
    "SSL_CERT_FILE": "/etc/ssl/company.pem",
    "XDG_CONFIG_HOME": "/home/ada/settings",
    "XDG_DATA_HOME": "/home/ada/data",
    "XDG_STATE_HOME": "/home/ada/remembered",
    "CLAUDE_CONFIG_DIR": "/home/ada/claude",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a scratch user."""
    return Settings(home=tmp_path / "home", state_dir=tmp_path / "state")


def test_only_what_changes_the_agent_is_written_down(settings: Settings) -> None:
    """Settings, proxy, trust and folders; no secret, the enrolment's least of all."""
    made = launch.of(settings, ENVIRONMENT, ("/x/parity-agent",), config=Path("/etc/a.toml"))
    assert made.environment == {
        "CLAUDE_CONFIG_DIR": "/home/ada/claude",
        "NO_PROXY": "localhost",
        "PARITY_AGENT_CONFIG": "/etc/a.toml",
        "PARITY_AGENT_LABEL": "desk",
        "PARITY_AGENT_STATE_DIR": str(settings.state_dir),
        "SSL_CERT_FILE": "/etc/ssl/company.pem",
        "XDG_CONFIG_HOME": "/home/ada/settings",
        "XDG_DATA_HOME": "/home/ada/data",
        "XDG_STATE_HOME": "/home/ada/remembered",
        "https_proxy": "http://proxy.example.com:3128",
    }


@pytest.mark.parametrize("value", ["two\nlines", "a\0b", "x" * 4_097])
def test_a_value_that_no_manager_could_carry_is_refused(settings: Settings, value: str) -> None:
    """The error names the variable, and not what it holds."""
    with pytest.raises(AgentError, match="HTTPS_PROXY") as caught:
        launch.of(settings, {"HTTPS_PROXY": value}, ("/x/parity-agent",))
    assert value not in str(caught.value)


def test_the_command_is_the_one_beside_this_python() -> None:
    """By its absolute path; on Windows without a console."""
    python = Path("/opt/env/bin/python")
    assert launch.command_of(python, ["python", "parity-agent"]) == ("/opt/env/bin/parity-agent",)
    windows = launch.command_of(Path("/opt/env/python.exe"), ["pythonw.exe", "parity-agent.exe"])
    assert windows == ("/opt/env/pythonw.exe", "-P", "-m", "agent")
    with pytest.raises(AgentError, match="no parity-agent beside"):
        launch.command_of(python, ["python"])


def test_windows_is_told_which_user(settings: Settings) -> None:
    """A task for whoever signs in would need an administrator."""
    made = launch.of(settings, {"USERDOMAIN": "DESK", "USERNAME": "ada"}, ("/x/parity-agent",))
    assert made.user == "DESK\\ada"
