"""One contract for the services of all three managers."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.service import launchd, scheduled_task, systemd
from agent.service.interface import NAMES, Unit
from agent.service.launch import Launch
from agent.service.written import WrittenService, variables
from tests.agent.service.conftest import Manager

NewManager = Callable[..., Manager]

DEEDS = {
    "systemd": {
        "install": ["daemon-reload", "enable {n}", "restart {n}"],
        "uninstall": ["disable --now {n}", "daemon-reload", "reset-failed {n}"],
        "status": ["is-enabled --quiet {n}"],
    },
    "launchd": {
        "install": ["bootout gui/{u}/{n}", "enable gui/{u}/{n}", "bootstrap gui/{u} {f}"],
        "uninstall": ["bootout gui/{u}/{n}"],
        "status": ["print gui/{u}/{n}"],
    },
    "task_scheduler": {
        "install": ["/End /TN {n}", "/Create /F /TN {n} /XML {f}", "/Run /TN {n}"],
        "uninstall": ["/End /TN {n}", "/Delete /F /TN {n}"],
        "status": ["/Query /TN {n}"],
    },
}
"""What each manager is asked, as its manual words it."""


@pytest.fixture(params=[systemd, launchd, scheduled_task], ids=lambda each: each.__name__[14:])
def unit(request: pytest.FixtureRequest, launch: Launch) -> Unit:
    """What each manager is given."""
    made: Unit = request.param.unit(launch)
    return made


def asked(unit: Unit, deed: str) -> list[str]:
    """The calls that make a deed."""
    words = {"n": NAMES[unit.manager], "f": str(unit.file), "u": str(os.getuid())}
    user = "--user " if unit.manager == "systemd" else ""
    return [user + each.format_map(words) for each in DEEDS[unit.manager][deed]]


def test_it_is_written_and_begun(unit: Unit, manager: NewManager) -> None:
    """Its file and what lies beside are its user's alone."""
    made = manager(unit.manager)
    done = WrittenService(unit, made.environment).install()
    assert (done.file, done.is_running, done.advice) == (unit.file, True, "")
    assert made.asked() == asked(unit, "install")
    assert unit.file.read_bytes() == unit.body
    for path in (unit.file, *unit.beside):
        assert path.stat().st_mode & 0o077 == 0
    assert all(each.is_dir() for each in unit.folders)
    assert unit.link is None or unit.link.resolve() == unit.file


def test_installing_again_takes_the_place_of_the_earlier_one(
    unit: Unit, manager: NewManager
) -> None:
    """An upgrade or a changed setting needs nothing else."""
    service = WrittenService(unit, manager(unit.manager).environment)
    service.install()
    unit.file.write_bytes(b"of an earlier version")
    assert not service.status().is_current
    assert service.install().is_running
    assert service.status().is_current


def test_its_status_is_told_without_changing_anything(unit: Unit, manager: NewManager) -> None:
    """Before, between and after."""
    made = manager(unit.manager)
    service = WrittenService(unit, made.environment)
    before = service.status()
    assert (before.is_installed, before.is_current, before.is_known) == (False, False, False)
    assert made.asked() == []
    service.install()
    begin = len(made.asked())
    found = service.status()
    assert (found.is_installed, found.is_current, found.is_known) == (True, True, True)
    assert made.asked()[begin:] == asked(unit, "status")


def test_it_is_ended_and_removed_whole(unit: Unit, manager: NewManager) -> None:
    """With what lies beside and the logs; a second time there is nothing to do."""
    made = manager(unit.manager)
    service = WrittenService(unit, made.environment)
    service.install()
    for path in unit.logs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    begin = len(made.asked())
    assert service.uninstall() is True
    assert made.asked()[begin:] == asked(unit, "uninstall")
    for path in (unit.file, *unit.beside, *unit.logs, *unit.folders):
        assert not path.exists()
    assert unit.link is None or not unit.link.is_symlink()
    assert service.uninstall() is False


def test_a_folder_that_holds_something_else_stays(unit: Unit, manager: NewManager) -> None:
    """Only what was made is removed."""
    service = WrittenService(unit, manager(unit.manager).environment)
    service.install()
    theirs = [each / "theirs" for each in unit.folders]
    for path in theirs:
        path.touch()
    service.uninstall()
    assert all(path.exists() for path in theirs)


def test_a_manager_that_does_not_answer_is_no_failure(unit: Unit, manager: NewManager) -> None:
    """It is written down all the same, and what is left to do is told."""
    made = manager(unit.manager, refuses=asked(unit, "install")[-1].split()[-1])
    done = WrittenService(unit, made.environment).install()
    assert not done.is_running
    assert done.reason == "no bus"
    assert done.advice
    assert unit.file.exists()


def test_where_systemd_does_not_run_nothing_is_promised(
    launch: Launch, manager: NewManager, tmp_path: Path
) -> None:
    """Its command is there all the same, as in WSL."""
    unit, made = systemd.unit(launch), manager("systemd", refuses="daemon-reload")
    booted = tmp_path / "booted"
    by_hand = WrittenService(unit, made.environment, booted).install().advice
    assert "by hand at each sign-in" in by_hand
    booted.mkdir()
    assert "at the next sign-in" in WrittenService(unit, made.environment, booted).install().advice


def test_a_system_without_the_manager_is_no_failure(unit: Unit, tmp_path: Path) -> None:
    """The daemon can be started by hand; what was written can be removed."""
    service = WrittenService(unit, {"PATH": str(tmp_path)})
    done = service.install()
    assert not done.is_running
    assert "parity-agent run" in done.advice
    assert service.status().is_known is None
    assert service.uninstall() is True
    assert not unit.file.exists()


def test_only_what_a_service_carries_is_taken_from_its_variables(tmp_path: Path) -> None:
    """Whoever can write the file cannot make the daemon run another program."""
    file = tmp_path / "service.json"
    file.write_text('{"PATH": "/evil", "LD_PRELOAD": "x", "PARITY_AGENT_LABEL": "a"}')
    file.chmod(0o600)
    assert variables(file) == {"PARITY_AGENT_LABEL": "a"}
