"""The service as it is installed: its command and variables start an agent that checks in.

The manager alone is a stand-in: a program on PATH that says yes. What it would start is taken
from the written file, and started with the variables of that file and no other one.
"""

import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent import service as services
from agent import settings as settings_module
from agent.service.interface import Unit
from agent.service.written import WrittenService
from tests.e2e.harness import END_TIMEOUT_S, Laptop, Server
from tests.install.service_laptop import begun, environment_of, laptop_at, wait_for_check_in

SYSTEMS = {"systemd": "linux", "launchd": "darwin", "task_scheduler": "win32"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that reads no release source."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, npm_registry_url="http://127.0.0.1:9").start() as running:
        yield running


def written(laptop: Laptop, manager: str) -> Unit:
    """The service of a manager, written down as its command does, and read back."""
    environment = environment_of(laptop)
    settings = settings_module.load(environment)
    service = services.of(settings, environment, system=SYSTEMS[manager])
    assert isinstance(service, WrittenService)
    assert service.install().is_running
    return replace(service.unit, body=service.unit.file.read_bytes())


@pytest.mark.parametrize("manager", list(SYSTEMS))
def test_what_each_unit_starts_checks_in(server: Server, tmp_path: Path, manager: str) -> None:
    """By the unit as written, and it ends when it is told to."""
    label = manager.replace("_", "-")
    laptop = laptop_at(tmp_path, label).enrol(server)
    with begun(written(laptop, manager)) as process:
        wait_for_check_in(server, label, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_TIMEOUT_S) == 0


def test_two_users_of_one_machine_are_two_machines(server: Server, tmp_path: Path) -> None:
    """Each with a home, a state folder and a daemon of its own, at the same time."""
    users = [laptop_at(tmp_path / name, name).enrol(server) for name in ("ada", "bob")]
    ada, bob = (written(each, "systemd") for each in users)
    with begun(ada) as first, begun(bob) as second:
        wait_for_check_in(server, "ada", first)
        wait_for_check_in(server, "bob", second)
    assert server.machine("ada")["machine"] != server.machine("bob")["machine"]


def test_the_command_installs_tells_and_removes(server: Server, tmp_path: Path) -> None:
    """As a user types it; not before the machine is enrolled."""
    laptop = laptop_at(tmp_path, "typed")

    def typed(word: str) -> subprocess.CompletedProcess[str]:
        managers = f"PATH={environment_of(laptop)['PATH']}"
        return laptop.run("service", word, prefix=("env", managers))

    refused = typed("install")
    assert refused.returncode == 1
    assert "not enrolled" in refused.stderr
    laptop.enrol(server)
    assert typed("status").returncode == 3
    done = typed("install")
    assert (done.returncode, done.stderr) == (0, "")
    file = laptop.home / ".config/systemd/user/parity-agent.service"
    assert str(file) in done.stdout
    assert server.secret_file.read_text() not in file.read_text()
    told = typed("status")
    assert (told.returncode, "no agent is running" in told.stdout) == (4, True)
    assert typed("uninstall").stdout == "the service is removed\n"
    assert not file.exists()
    assert (laptop.state / "identity.json").exists(), "the machine stays enrolled"
