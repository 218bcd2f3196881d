"""What the agent costs the laptop: an unchanged cycle, idling, and a new build.

The scratch laptop has six installs, made here in the size of real ones, and 400 processes, six
of them sessions. As on every scratch machine its processes are found by descent from one of
them, which asks each for its children: a laptop's one list of all costs less.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from agent import cycle, logs, platforms
from agent.cycle import Parts
from agent.fingerprint import Fingerprints
from agent.journal import open_journal
from agent.settings import load
from tests.agent.standin import copied
from tests.benchmarks import made
from tests.benchmarks.made import PROGRAM_BYTES
from tests.e2e import copies, reading
from tests.e2e.harness import Laptop, Server

CHECKOUT = Path(__file__).resolve().parents[2]
CYCLES = 50
ROUNDS = 3
INSTALLS = 6
PROCESSES = 400
SESSIONS = 6
GROWTH_TIMEOUT_S = 1_800


def measure(folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    """The figures of the agent."""
    with Server(folder / "server", npm_registry_url="").start() as server:
        laptop = Laptop(folder / "laptop")
        copies.lay(laptop, made.packages(folder / "packages"))
        laptop.enrol(server)
        laptop.check()
        figures = {
            "laptop": {"installs": _installs(laptop), "processes": PROCESSES},
            "fingerprint": _fingerprint(laptop, folder),
            "memory while hashing": _memory(folder),
            "growth": _growth(laptop, options.cycles),
            "unchanged cycle without processes": _cycle(laptop),
        }
        with _processes(laptop, folder):
            laptop.check()
            figures |= {
                "unchanged cycle": _cycle(laptop),
                "read in an unchanged cycle": _read(laptop, folder),
                "idle": _idle(laptop, options.idle_seconds),
            }
        return figures


def _installs(laptop: Laptop) -> int:
    shown = json.loads(laptop.run("show", "--json").stdout)
    found = len(shown["profile"]["installs"])
    assert found == INSTALLS, shown
    return found


def _fingerprint(laptop: Laptop, folder: Path) -> Mapping[str, Any]:
    """Ours beside OpenSSL on the same file, and beside OpenSSL on a block in memory."""
    program = laptop.home / ".local/share/claude/versions" / copies.NATIVE
    host = platforms.live(home=laptop.home, system_root=laptop.root, environment={})
    ours, on_file, in_memory = [], [], []
    for number in range(ROUNDS):
        in_memory.append(_openssl_in_memory())
        begin = time.perf_counter()
        subprocess.run([_openssl(), "dgst", "-sha256", program], capture_output=True, check=True)
        on_file.append(PROGRAM_BYTES / (time.perf_counter() - begin) / 1e6)
        fingerprints = Fingerprints(folder / f"cache-{number}.json")
        begin = time.perf_counter()
        found = fingerprints.examine(host, program)
        ours.append(PROGRAM_BYTES / (time.perf_counter() - begin) / 1e6)
        assert found.build is not None, found.reason
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


def _memory(folder: Path) -> Mapping[str, Any]:
    """The peak of a process that hashes a whole build beside one that hashes a small file."""
    peaks = []
    for size in (made.SMALL_BYTES, PROGRAM_BYTES):
        program = made.program(folder / "hashed" / str(size) / "claude", copies.NATIVE, size)
        command = ("tests.benchmarks.hashing", str(program), str(folder / f"peak-{size}.json"))
        done = _module(*command)
        peaks.append(int(done) / 1024)
    small, whole = peaks
    return {
        "peak MiB of 1 MB": round(small, 1),
        "peak MiB of 381 MB": round(whole, 1),
        "difference MiB": round(whole - small, 1),
    }


def _growth(laptop: Laptop, cycles: int) -> Mapping[str, Any]:
    """What a process holds after a tenth of its cycles, and at most after that."""
    told = json.loads(_module("tests.benchmarks.growth", str(cycles), laptop=laptop))
    held = {name: {"tenth": all_[0], "most": max(all_[1:])} for name, all_ in told.items()}
    return {"cycles": cycles, **held}


def _module(*command: str, laptop: Laptop | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=CHECKOUT,
        env=None if laptop is None else laptop.environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=GROWTH_TIMEOUT_S,
        check=True,
    )
    return done.stdout


def _cycle(laptop: Laptop) -> Mapping[str, Any]:
    """CPU of a whole look with nothing changed, the journal included, nothing sent."""
    settings = load(laptop.environment, None)
    logs.configure_command(settings)
    parts = Parts(settings, laptop.environment)
    with closing(open_journal(settings.state_dir)) as journal:
        first, _ = cycle.cycle(parts, journal, None, cycle.begin(journal, None))
        begin = time.process_time()
        for _ in range(CYCLES):
            cycle.cycle(parts, journal, None, cycle.begin(journal, None))
        spent = time.process_time() - begin
    return {
        "cpu ms": round(spent / CYCLES * 1e3, 2),
        "sessions": len(first.sessions),
        "cycles": CYCLES,
    }


_ALL_WAIT = 'for each in "$@"; do "$each" 36000 & done; echo ready; wait'


@contextmanager
def _processes(laptop: Laptop, folder: Path) -> Iterator[None]:
    """Processes of the laptop's user, of which only a few are sessions, until the block ends."""
    versions = folder / "claude" / "versions"
    programs = [versions / f"2.1.{number}" for number in range(SESSIONS)]
    # The shell that starts them is one of them.
    programs += [folder / "other"] * (PROCESSES - SESSIONS - 1)
    for program in {*programs}:
        copied(program)
    command = ["sh", "-c", _ALL_WAIT, "sh", *map(str, programs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        laptop.settings["process_roots"] = str(shell.pid)
        try:
            yield
        finally:
            os.killpg(shell.pid, signal.SIGKILL)


def _read(laptop: Laptop, folder: Path) -> Mapping[str, Any]:
    """The largest part of a file that a whole look reads when nothing has changed."""
    strace = shutil.which("strace") or "strace"
    done = laptop.run("check", prefix=reading.tracing(strace, folder / "traced"))
    sizes = reading.read_in(folder / "traced")
    assert sizes, done.stderr
    path, size = max(sizes.items(), key=lambda each: each[1])
    return {
        "files over 1 MiB": sum(size > 2**20 for size in sizes.values()),
        "most bytes of one file": size,
        "that file": Path(path).name,
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
        # A counter of ticks read twice can lose a rounding.
        "percent of a core": round(max(spent, 0.0) / seconds * 100, 3),
        "seconds": seconds,
    }
