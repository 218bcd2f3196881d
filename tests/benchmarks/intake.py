"""Durable check-ins a second, against the no-op: same client, same Granian settings.

The client is ``wrk`` with one thread: it takes the other core of a two-core machine, the
server (SQLite inside) the one. Runs alternate, so that both see the same weather; the best
of each is told, and after the last run the database must hold every check-in that was
acknowledged.
"""

import argparse
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks import fleets
from tests.benchmarks.fleets import Fleet
from tests.e2e.harness import Server

CONNECTIONS = (64, 256)
SCRIPT = Path(__file__).with_name("check_in.lua")
SEQS_PER_RUN = 1_000


@dataclass(frozen=True)
class Run:
    """One run of the client.

    Attributes:
        per_s: Answers a second.
        cpu_ms: CPU of the serving process per answer, in milliseconds.
        told: What the client counted.
    """

    per_s: float
    cpu_ms: float
    told: Mapping[str, int]


def measure(folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    """The figures of the intake.

    Raises:
        SystemExit: wrk or strace is missing, or an acknowledged check-in is.
    """
    for tool in ("wrk", "strace"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: apt-get install {tool}")
    fleet = fleets.make(folder / "fleet", options.machines, options.profiles)
    server = Server(folder / "server", data_dir=fleet.folder, npm_registry_url="")
    figures: dict[str, Any] = {"machines": fleet.machines, "profiles": options.profiles}
    with server.start(), _noop() as floor:
        assert server.process is not None
        ours = psutil.Process(server.process.pid)
        seq = 2
        for connections in CONNECTIONS:
            runs: dict[str, list[Run]] = {"noop": [], "server": []}
            for _ in range(options.rounds):
                runs["noop"].append(
                    _run(floor[1], floor[0], fleet, connections, 1, options.seconds)
                )
                runs["server"].append(
                    _run(ours, server.url, fleet, connections, seq, options.seconds)
                )
                seq += SEQS_PER_RUN
            figures[f"{connections} connections"] = _compared(runs)
        figures["check-ins per commit"] = _per_commit(ours, server.url, fleet, seq, options.seconds)
        figures["check-in body bytes"] = _body_bytes(fleet)
    return figures


def _run(
    process: psutil.Process, url: str, fleet: Fleet, connections: int, seq: int, seconds: int
) -> Run:
    before = process.cpu_times()
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", SCRIPT, url, "--"),
            *(fleet.tokens, "0", str(seq)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    after = process.cpu_times()
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert not told["status_errors"], told
    assert not told["socket_errors"], told
    if seq > 1:
        _check(fleet, seq, told["requests"])
    cpu_s = after.user + after.system - before.user - before.system
    return Run(told["requests"] / told["duration_us"] * 1e6, cpu_s / told["requests"] * 1e3, told)


def _check(fleet: Fleet, seq: int, requests: int) -> None:
    """Every acknowledged check-in is in the database: each touched its machine's row."""
    with sqlite3.connect(f"file:{fleet.folder / 'server.db'}?mode=ro", uri=True) as db:
        kept = db.execute(
            "SELECT sum(seq - ? + 1) FROM presence WHERE seq >= ?", (seq, seq)
        ).fetchone()[0]
    assert kept >= requests, f"{requests} check-ins were acknowledged, {kept} were kept"


def _compared(runs: Mapping[str, list[Run]]) -> Mapping[str, Any]:
    best = {name: max(each, key=lambda run: run.per_s) for name, each in runs.items()}
    cpu = {name: min(run.cpu_ms for run in each) for name, each in runs.items()}
    return {
        "noop per s": round(best["noop"].per_s),
        "server per s": round(best["server"].per_s),
        "ratio": round(best["server"].per_s / best["noop"].per_s, 3),
        "noop cpu ms": round(cpu["noop"], 4),
        "server cpu ms": round(cpu["server"], 4),
        "server p99 ms": best["server"].told["p99_us"] / 1000,
        "all server per s": [round(run.per_s) for run in runs["server"]],
        "all noop per s": [round(run.per_s) for run in runs["noop"]],
    }


def _per_commit(
    process: psutil.Process, url: str, fleet: Fleet, seq: int, seconds: int
) -> Mapping[str, float]:
    """How many check-ins share a sync, counted by strace in runs of their own."""
    found = {}
    for connections in CONNECTIONS:
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-e", "trace=fdatasync", "-p", str(process.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        # It says "attached" once it counts.
        tracer.stderr.readline()
        run = _run(process, url, fleet, connections, seq, seconds)
        seq += SEQS_PER_RUN
        tracer.send_signal(signal.SIGINT)
        counted = re.search(r"(\d+)\s+(?:\d+\s+)?fdatasync", tracer.communicate()[1])
        assert counted is not None
        found[f"{connections} connections"] = round(run.told["requests"] / int(counted[1]), 1)
    return found


def _body_bytes(fleet: Fleet) -> int:
    _, name = fleet.tokens.read_text(encoding="ascii").splitlines()[0].split()
    seq = 1_000_000
    body = {"agent": "0.1.0", "clock": 1_790_000_000, "epoch": fleets.EPOCH, "profile": name}
    return len(json.dumps(body | {"seq": seq, "wire": 1}, separators=(",", ":")))


@contextmanager
def _noop() -> Iterator[tuple[str, psutil.Process]]:
    served = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.noop"], stdout=subprocess.PIPE, text=True
    )
    assert served.stdout is not None
    try:
        yield served.stdout.readline().strip(), psutil.Process(served.pid)
    finally:
        served.send_signal(signal.SIGTERM)
        served.wait(30)
        served.stdout.close()
