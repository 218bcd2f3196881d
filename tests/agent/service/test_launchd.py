"""The launchd agent."""

import plistlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.service import launchd
from agent.service.launch import Launch
from tests.agent.service.units import start_of

KNOWN: dict[str, type | tuple[type, ...]] = {
    "Label": str,
    "ProgramArguments": list,
    "EnvironmentVariables": dict,
    "RunAtLoad": bool,
    "KeepAlive": (bool, dict),
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "ProcessType": str,
    "LowPriorityIO": bool,
    "LowPriorityBackgroundIO": bool,
    "Nice": int,
    "Umask": (int, str),
    "StandardOutPath": str,
    "StandardErrorPath": str,
}
"""Of launchd.plist(5): the keys that are used here, with their types."""


@pytest.fixture
def told(launch: Launch) -> dict[str, Any]:
    """The property list as launchd reads it."""
    return dict(plistlib.loads(launchd.unit(launch).body))


def test_every_key_is_one_of_launchds_with_its_type(told: dict[str, Any]) -> None:
    """What launchd does not know it passes over in silence."""
    assert told.keys() <= KNOWN.keys()
    assert all(isinstance(value, KNOWN[key]) for key, value in told.items())


def test_it_is_begun_at_sign_in_and_after_a_failure_only(told: dict[str, Any]) -> None:
    """A daemon that was told to end stays ended."""
    assert told["RunAtLoad"] is True
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert told["ProcessType"] == "Background"
    assert told["LowPriorityIO"] is True


def test_its_name_is_that_of_its_file(launch: Launch, told: dict[str, Any]) -> None:
    """As launchctl(1) expects of agents in the user's folder."""
    file = launchd.unit(launch).file
    assert file == launch.home / "Library/LaunchAgents" / f"{told['Label']}.plist"


def test_what_grows_is_a_log_that_the_daemon_cuts(launch: Launch, told: dict[str, Any]) -> None:
    """Unless the operator chose another one; launchd's own file holds crashes alone."""
    folder = launch.home / "Library/Logs/build-parity"
    assert told["EnvironmentVariables"]["PARITY_AGENT_LOG_FILE"] == str(folder / "agent.log")
    assert Path(told["StandardErrorPath"]).parent == folder
    assert launchd.unit(launch).folders == (folder,)
    mine = replace(launch, environment={"PARITY_AGENT_LOG_FILE": "/var/log/mine"})
    start = start_of(launchd.unit(mine))
    assert start.environment == {"PARITY_AGENT_LOG_FILE": "/var/log/mine"}
