"""What the agent costs the laptop: an unchanged cycle, idling, and a new build.

The scratch laptop has one program file of the size of a public release, made here, so that
this part needs no download; what is in it does not matter for reading and hashing it.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from agent import cycle, logs, platforms
from agent.cycle import Parts
from agent.fingerprint import Fingerprints
from agent.journal import open_journal
from agent.platforms.common import LiveHost
from agent.platforms.linux import ProcTable
from agent.running import Running
from agent.settings import load
from tests.agent.standin import copied, sleeping
from tests.e2e.harness import Laptop, Server

PROGRAM_BYTES = 381_121_040
CYCLES = 50
ROUNDS = 3
PROCESSES = 400
SESSIONS = 6


def measure(folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    """The figures of the agent."""
    with Server(folder / "server", npm_registry_url="").start() as server:
        laptop = Laptop(folder / "laptop")
        program = _install(laptop.home)
        laptop.enrol(server)
        laptop.check()
        return {
            "fingerprint": _fingerprint(laptop, program, folder),
            "unchanged cycle": _cycle(laptop),
            "processes": _processes(laptop, folder),
            "idle": _idle(laptop, options.idle_seconds),
        }


def _install(home: Path) -> Path:
    version = home / ".local" / "share" / "claude" / "versions" / "2.1.330"
    version.parent.mkdir(parents=True)
    statement = (
        b'PACKAGE_URL:"@anthropic-ai/claude-code",README_URL:"",VERSION:"2.1.330",'
        b'FEEDBACK_CHANNEL:"",BUILD_TIME:"2026-11-20T17:34:37Z"'
    )
    header = Path(os.path.realpath("/proc/self/exe")).read_bytes()[:4096]
    with version.open("wb") as file:
        file.write(header)
        file.truncate(PROGRAM_BYTES - len(statement))
        file.seek(0, 2)
        file.write(statement)
    version.chmod(0o755)
    launcher = home / ".local" / "bin" / "claude"
    launcher.parent.mkdir(parents=True)
    launcher.symlink_to(version)
    (home / ".profile").write_text('PATH="$HOME/.local/bin:$PATH"\n', encoding="utf-8")
    return version


def _fingerprint(laptop: Laptop, program: Path, folder: Path) -> Mapping[str, Any]:
    """Ours beside OpenSSL on the same file, and beside OpenSSL on a block in memory."""
    host = platforms.live(home=laptop.home, system_root=laptop.root, environment={})
    ours, on_file, in_memory = [], [], []
    for number in range(ROUNDS):
        in_memory.append(_openssl_in_memory())
        begin = time.perf_counter()
        subprocess.run([_openssl(), "dgst", "-sha256", program], capture_output=True, check=True)
        on_file.append(PROGRAM_BYTES / (time.perf_counter() - begin) / 1e6)
        fingerprints = Fingerprints(folder / f"cache-{number}.json")
        begin = time.perf_counter()
        reading = fingerprints.examine(host, program)
        ours.append(PROGRAM_BYTES / (time.perf_counter() - begin) / 1e6)
        assert reading.build is not None, reading.reason
    return {
        "MB per s": round(max(ours)),
        "openssl dgst MB per s": round(max(on_file)),
        "ratio to openssl dgst": round(max(ours) / max(on_file), 3),
        "openssl speed MB per s": round(max(in_memory)),
        "ratio to openssl speed": round(max(ours) / max(in_memory), 3),
    }


def _openssl() -> str:
    return shutil.which("openssl") or "openssl"


def _openssl_in_memory() -> float:
    """OpenSSL's speed on blocks as large as ours that lie in memory, in MB per second."""
    command = [_openssl(), "speed", "-elapsed", "-seconds", "2"]
    done = subprocess.run(
        [*command, "-bytes", str(256 * 1024), "-evp", "sha256"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"^sha256\s+([\d.]+)k", done.stdout, re.MULTILINE | re.IGNORECASE)
    assert found is not None, done.stdout
    return float(found[1]) / 1e3


def _cycle(laptop: Laptop) -> Mapping[str, Any]:
    """CPU of a whole look with nothing changed, the journal included, nothing sent."""
    settings = load(laptop.environment, None)
    logs.configure_command(settings)
    parts = Parts(settings, laptop.environment)
    with closing(open_journal(settings.state_dir)) as journal:
        cycle.cycle(parts, journal, None, cycle.begin(journal, None))
        begin = time.process_time()
        for _ in range(CYCLES):
            cycle.cycle(parts, journal, None, cycle.begin(journal, None))
        spent = time.process_time() - begin
    return {"cpu ms": round(spent / CYCLES * 1e3, 2), "cycles": CYCLES}


class _Listed(ProcTable):
    """Its roots as a laptop lists all of its user's processes: at once, not by descent."""

    def _below(self, roots: tuple[int, ...]) -> Iterator[str]:
        return map(str, roots)


def _processes(laptop: Laptop, folder: Path) -> Mapping[str, Any]:
    """CPU of following processes of which none is new; only those started here are there."""
    versions = folder / "claude" / "versions"
    with ExitStack() as stack:
        programs = [versions / f"2.1.{number}" for number in range(SESSIONS)]
        programs += [folder / "other"] * (PROCESSES - SESSIONS)
        for program in {*programs}:
            copied(program)
        pids = [stack.enter_context(sleeping(each)).pid for each in programs]
        host = platforms.live(home=laptop.home, system_root=laptop.root, environment={})
        assert isinstance(host, LiveHost)
        host = replace(host, table=_Listed(tuple(pids)))
        running, fingerprints = Running(), Fingerprints(folder / "running.json")
        begin = time.process_time()
        found = len(running.look(host, fingerprints, ()))
        first = time.process_time() - begin
        begin = time.process_time()
        for _ in range(CYCLES):
            running.look(host, fingerprints, ())
        again = time.process_time() - begin
    return {
        "processes": len(pids),
        "sessions": found,
        "first look cpu ms": round(first * 1e3, 2),
        "cpu ms": round(again / CYCLES * 1e3, 2),
    }


def _idle(laptop: Laptop, seconds: int) -> Mapping[str, Any]:
    laptop.start()
    assert laptop.daemon is not None
    daemon = psutil.Process(laptop.daemon.pid)
    # The first cycle is over when the daemon has slept for a while.
    time.sleep(10)
    before = daemon.cpu_times()
    time.sleep(seconds)
    after = daemon.cpu_times()
    resident = daemon.memory_info().rss
    laptop.stop(signal.SIGTERM)
    spent = after.user + after.system - before.user - before.system
    return {
        "resident MiB": round(resident / 2**20, 1),
        "percent of a core": round(spent / seconds * 100, 3),
        "seconds": seconds,
    }
