"""One cell of the growth: a fleet of one size on one database, and what it costs there.

``python -m tests.benchmarks.cell`` makes the fleet, starts the installed server beside a made-up
registry, and measures one thing after another; `tests.benchmarks.sizes` runs many of them. It
checks what it measures: acknowledged check-ins are in the database, counters equal a recount,
and no row of a machine was written by the release.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import psutil
import requests
from sqlalchemy import Connection, Engine, func, select

from agent import __version__
from server.store.counts import differences, standings
from server.store.engine import open_engine
from server.store.interface import Limits
from server.store.tables import presence, readings
from tests.benchmarks import fleets, kept, rows
from tests.benchmarks.__main__ import machine
from tests.benchmarks.fleets import Fleet
from tests.benchmarks.intake import SCRIPT
from tests.benchmarks.kept import Cell, Mix, Release, Result, Took, took
from tests.benchmarks.simulator import database
from tests.benchmarks.simulator.database import Database
from tests.benchmarks.simulator.meter import Meter
from tests.benchmarks.simulator.registry import Releases
from tests.benchmarks.steady import steady
from tests.e2e.harness import Server

ASKED_EVERY_S = 0.02
"""From an answer about the status to the next question, in seconds."""

WARM = 20
"""The first questions, which do not count."""

CONNECTIONS = 64
"""Of the client that checks in as fast as it is answered."""

HEADS_EVERY_S = 5
"""How often the server reads the registry, in seconds."""

READ_MAX_S = 120.0
"""Longest until the release was read, in seconds."""

RIGHT_MAX_S = 3_600.0
"""Longest until all is right, or the server has nothing to do, in seconds."""

LOOK_EVERY_S = 0.01
"""From one look into the database to the next, in seconds."""

IDLE_CPU = 0.05
"""The part of a core that a server takes at most that has nothing to do."""

IDLE_S = 2
"""For how many seconds it has to."""

_BEGINS_AT = {"status": 100_000, "check-ins": 200_000, "release": 300_000}
"""The first seq of what is measured, so that each is above those before."""


def measure(cell: Cell, folder: Path, rate: int, seconds: int) -> Result:
    """Makes a cell's fleet and measures it.

    Args:
        cell: Which one.
        folder: Of its own.
        rate: Check-ins a second of what is called steady.
        seconds: How long each thing is looked at.
    """
    begin = time.monotonic()
    measured_on = machine() | {"command": _command(cell, rate, seconds)}
    with ExitStack() as stack:
        opened = stack.enter_context(database.opened(cell.database))
        releases = stack.enter_context(Releases(int(time.time()) - 86_400))
        _say(f"making {cell.machines} machines with {cell.profiles} profiles")
        fleet = fleets.make(folder / "data", cell.machines, cell.profiles, opened.url)
        made_s = time.monotonic() - begin
        engine = open_engine(fleet.url, Limits(statement_s=0))
        stack.callback(engine.dispose)
        with engine.connect() as conn:
            database_bytes = database.size(conn)
        server = _server(folder, fleet, opened, releases)
        run = _Run(fleet, server, engine, opened, releases, rate, seconds)
        with server:
            _say("waiting until all was judged after the start")
            started_s = run.wait_until_idle()
            resident_bytes = run.process.memory_info().rss
            _say("asking for the status")
            idle = run.ask_status()
            with steady(server.url, fleet, rate, _BEGINS_AT["status"]):
                busy = run.ask_status()
            _say("checking in")
            check_ins_per_s = run.check_in()
            release = run.release()
            most_resident_bytes = _most_resident_bytes(run.process.pid)
        with engine.connect() as conn:
            wrong = list(differences(conn))
        assert not wrong, wrong[:10]
    return Result(
        cell,
        measured_on,
        __version__,
        round(made_s, 1),
        round(time.monotonic() - begin, 1),
        database_bytes,
        round(started_s, 1),
        resident_bytes,
        most_resident_bytes,
        rate,
        idle,
        busy,
        check_ins_per_s,
        release,
    )


def _command(cell: Cell, rate: int, seconds: int) -> str:
    which = f"--database {cell.database} --machines {cell.machines} --profiles {cell.mix}"
    return f"python -m tests.benchmarks.cell {which} --rate {rate} --seconds {seconds}"


def _server(folder: Path, fleet: Fleet, opened: Database, releases: Releases) -> Server:
    server = Server(folder / "server", data_dir=fleet.folder, heads_every_s=HEADS_EVERY_S)
    server.settings["npm_registry_url"] = releases.origin
    if opened.url:
        server.settings["database_url"] = opened.url
    return server


@dataclass
class _Run:
    """A server at work, and what it works on."""

    fleet: Fleet
    server: Server
    engine: Engine
    opened: Database
    releases: Releases
    rate: int
    seconds: int

    @property
    def process(self) -> psutil.Process:
        assert self.server.process is not None
        return psutil.Process(self.server.process.pid)

    def wait_until_idle(self) -> float:
        """Waits until the server has nothing to do; how many seconds it had."""
        begin, idle_s = time.monotonic(), 0
        while idle_s < IDLE_S:
            assert time.monotonic() - begin < RIGHT_MAX_S, "the server is never idle"
            is_idle = self.process.cpu_percent(interval=1.0) <= IDLE_CPU * 100
            idle_s = idle_s + 1 if is_idle else 0
        return time.monotonic() - begin - IDLE_S

    def ask_status(self) -> Took:
        times: list[float] = []
        ends_at = time.monotonic() + self.seconds
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.server.token}"
            while time.monotonic() < ends_at or len(times) <= WARM:
                time.sleep(ASKED_EVERY_S)
                begin = time.perf_counter()
                session.get(f"{self.server.url}/v1/status", timeout=30).raise_for_status()
                times.append(time.perf_counter() - begin)
        return took(times[WARM:])

    def check_in(self) -> int:
        """Checks in as fast as is answered; how many a second."""
        seq = _BEGINS_AT["check-ins"]
        words = (
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{self.seconds}s",
            "-s",
            SCRIPT,
            self.server.url,
            "--",
        )
        done = subprocess.run(
            ["wrk", *words, self.fleet.tokens, "0", str(seq)],
            capture_output=True,
            text=True,
            check=True,
        )
        told: dict[str, int] = json.loads(done.stdout.strip().splitlines()[-1])
        assert not told["status_errors"] + told["socket_errors"], told
        found = self._read(
            lambda conn: conn.scalar(
                select(func.sum(presence.c.seq - seq + 1)).where(presence.c.seq >= seq)
            )
        )
        assert found >= told["requests"], f"{told['requests']} were acknowledged, {found} were kept"
        return round(told["requests"] / told["duration_us"] * 1e6)

    def release(self) -> Release:
        """Brings a release out beside steady check-ins, and waits until all is right."""
        before = self._read(rows.of_machines)
        ours, theirs = Meter(), Meter()
        with steady(self.server.url, self.fleet, self.rate, _BEGINS_AT["release"]) as check_ins:
            begun = time.time()
            time.sleep(self.seconds)
            ours.watch(self.process.pid)
            if self.opened.pid is not None:
                theirs.watch(self.opened.pid)
            _say("a release comes out")
            self.releases.release(int(time.time()))
            read_at = self._wait(_is_read, READ_MAX_S)
            right_at = self._wait(self._is_right, RIGHT_MAX_S)
            ours.look()
            theirs.look()
            _say(f"all verdicts were right after {right_at - read_at:.2f} s")
        self.wait_until_idle()
        return Release(
            round(right_at - read_at, 3),
            round(ours.cpu_s, 3),
            round(theirs.cpu_s, 3),
            check_ins.between(begun, read_at),
            check_ins.between(read_at, right_at),
            rows.written(before, self._read(rows.of_machines)),
        )

    def _is_right(self, conn: Connection) -> bool:
        return standings(conn) == {("default", "pending"): self.fleet.machines}

    def _wait(self, seen: Callable[[Connection], bool], timeout_s: float) -> float:
        """When something was first seen in the database."""
        ends_at = time.time() + timeout_s
        while not self._read(seen):
            assert time.time() < ends_at, self.server.said()[-2_000:]
            time.sleep(LOOK_EVERY_S)
        return time.time()

    def _read(self, query: Callable[[Connection], Any]) -> Any:
        with self.engine.connect() as conn:
            return query(conn)


def _is_read(conn: Connection) -> bool:
    found = select(readings.c.id).where(readings.c.version == fleets.NEXT.version)
    return conn.execute(found).first() is not None


def _most_resident_bytes(pid: int) -> int:
    """The high-water mark that Linux keeps (proc_pid_status(5))."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _say(what: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measures the cell that is asked for and keeps its result."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cell", description=__doc__)
    parser.add_argument("--database", choices=get_args(database.DatabaseKind), required=True)
    parser.add_argument("--machines", type=int, required=True)
    parser.add_argument("--profiles", choices=get_args(Mix), required=True)
    parser.add_argument("--rate", type=int, default=200, help="steady check-ins a second")
    parser.add_argument("--seconds", type=int, default=10, help="to look at each thing")
    parser.add_argument("--out", type=Path, required=True, help="the file of its result")
    asked = parser.parse_args()
    # Whoever ends it ends its server and its database with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    cell = Cell(asked.database, asked.machines, asked.profiles)
    with tempfile.TemporaryDirectory(prefix="parity-cell-") as folder:
        kept.write(asked.out, measure(cell, Path(folder), asked.rate, asked.seconds))


if __name__ == "__main__":
    main()
