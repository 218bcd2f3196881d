"""A scratch laptop whose service managers say yes, and what they would start."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.service.interface import Unit
from tests.agent.service.conftest import PROGRAMS
from tests.agent.service.units import start_of
from tests.e2e.harness import POLL_S, Laptop, Server

CHECK_IN_TIMEOUT_S = 60.0


def laptop_at(folder: Path, label: str) -> Laptop:
    """A scratch machine whose variables name all that the agent would look for elsewhere."""
    laptop = Laptop(folder, label=label)
    nothing = folder / "agent.toml"
    nothing.touch()
    named = {"home": laptop.home, "config": nothing, "watch_interval_s": "0.2"}
    laptop.settings |= {name: str(value) for name, value in named.items()}
    managers = folder / "managers"
    managers.mkdir()
    for name in PROGRAMS.values():
        program = managers / name
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    return laptop


def environment_of(laptop: Laptop) -> dict[str, str]:
    """The variables of a shell in which the stand-ins are found."""
    told = laptop.environment
    return told | {"PATH": f"{laptop.folder / 'managers'}:{told['PATH']}"}


@contextmanager
def begun(unit: Unit) -> Iterator[subprocess.Popen[bytes]]:
    """What a manager would start, in an otherwise empty environment; gone afterwards."""
    start = start_of(unit)
    with subprocess.Popen(
        start.command,
        env=start.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_check_in(server: Server, label: str, process: subprocess.Popen[bytes]) -> None:
    """Returns when a machine has checked in."""
    ends = time.monotonic() + CHECK_IN_TIMEOUT_S
    while server.machine(label).get("profile") is None:
        assert process.poll() is None, "the agent ended by itself"
        assert time.monotonic() < ends, server.said()
        time.sleep(POLL_S)
