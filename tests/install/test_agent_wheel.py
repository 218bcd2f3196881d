"""The agent installed from a wheel, unattended, and upgraded in place.

As a tool that manages laptops does it: no checkout, no terminal, no label typed.
"""

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from agent.service.interface import Unit
from tests.e2e.harness import END_TIMEOUT_S, POLL_S, Laptop, Server
from tests.install.service_laptop import CHECK_IN_TIMEOUT_S, begun, environment_of, laptop_at
from tests.install.test_try import copy_checkout, plant

LATER = "99.1.0"
PIP_TIMEOUT_S = 300


def pip(*words: str | Path) -> None:
    """Runs this environment's pip."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of this version and that of a later one."""
    checkout = copy_checkout(tmp_path_factory.mktemp("checkout") / "build-parity")
    made = {}
    for version in (__version__, LATER):
        file = checkout / "agent" / "__init__.py"
        text = re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', file.read_text())
        file.write_text(text)
        folder = tmp_path_factory.mktemp("wheel")
        pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, checkout)
        (made[version],) = folder.glob("*.whl")
    return made


@dataclass
class Installed:
    """A scratch laptop and the environment that the agent was installed into."""

    laptop: Laptop
    venv: Path

    def install(self, wheel: Path) -> None:
        """Puts a wheel into the environment, over another one where there is one."""
        pip("--python", self.venv / "bin" / "python", "install", f"{wheel}[agent]")

    def run(self, *words: str | Path) -> str:
        """What a command that must succeed prints."""
        done = subprocess.run(
            [self.venv / "bin" / "parity-agent", *words],
            env=environment_of(self.laptop),
            cwd=self.laptop.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def service(self) -> Unit:
        """Installs the service, and reads what was written."""
        self.run("service", "install")
        file = self.laptop.home / ".config/systemd/user/parity-agent.service"
        return Unit("systemd", file, file.read_bytes())

    def last_check_in(self) -> Any:
        """The last check-in's body."""
        return json.loads(self.run("show", "--last", "--json"))["check-in"]


def wait_for_version(server: Server, version: str, process: subprocess.Popen[bytes]) -> Any:
    """What the server tells of its one machine, once it heard of that version."""
    ends = time.monotonic() + CHECK_IN_TIMEOUT_S
    while True:
        (machine,) = server.get("/v1/machines").json()["machines"]
        found = server.machine(machine["label"])
        if found.get("agent") == version and found.get("profile"):
            return found
        assert process.poll() is None, "the agent ended by itself"
        assert time.monotonic() < ends, server.said()
        time.sleep(POLL_S)


def checked_in(server: Server, version: str, unit: Unit) -> Any:
    """Starts what a unit starts, until the server heard of that version; then ends it."""
    with begun(unit) as process:
        found = wait_for_version(server, version, process)
        process.terminate()
        assert process.wait(END_TIMEOUT_S) == 0
    return found


def test_a_wheel_is_installed_enrolled_begun_and_upgraded(
    tmp_path: Path, wheels: dict[str, Path]
) -> None:
    """The same machine before and after, and what it had kept is kept."""
    laptop = laptop_at(tmp_path / "laptop", "unused")
    plant({"HOME": str(laptop.home)})
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    agent = Installed(laptop, venv)
    agent.install(wheels[__version__])
    with Server(tmp_path / "server", npm_registry_url="http://127.0.0.1:9").start() as server:
        enrol = ("enrol", "--server", server.url, "--secret-file", server.secret_file)
        agent.run(*enrol, "--group", "default", "--owner", "ada")
        first = checked_in(server, __version__, agent.service())
        told = agent.last_check_in()
        kept = {
            name: (laptop.state / name).read_bytes()
            for name in ("identity.json", "fingerprints.json")
        }
        agent.install(wheels[LATER])
        second = checked_in(server, LATER, agent.service())
    assert second["machine"] == first["machine"]
    assert second["owner"] == "ada"
    assert kept == {name: (laptop.state / name).read_bytes() for name in kept}
    again = agent.last_check_in()
    assert again["epoch"] == told["epoch"]
    assert again["seq"] > told["seq"]
