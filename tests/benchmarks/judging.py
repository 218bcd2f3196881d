"""What a fleet's size costs: the status, and a release.

The status is asked of a real server, with a small fleet and with a large one. A release is
a reading committed to the large fleet's database; the time runs until every verdict is
right again.
"""

import argparse
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import insert, update

from server.current import Current
from server.store import public
from server.store.counts import standings
from server.store.engine import open_engine
from server.store.rejudge import judge_again
from server.store.tables import readings, releases
from server.store.writer import Writer
from tests.benchmarks import fleets
from tests.benchmarks.fleets import HEAD, Fleet
from tests.e2e.harness import Server

SMALL = 10_000
ASKED = 300
ROUNDS = 3
"""Alternating rounds of status requests, so that both fleets see the same weather."""

NEXT = "2.1.331"


def measure(folder: Path, options: argparse.Namespace) -> Mapping[str, Any]:
    """The figures of status and release."""
    small = fleets.make(folder / "small", SMALL, min(options.profiles, SMALL))
    large = fleets.make(folder / "large", options.machines, options.profiles)
    status: dict[int, list[float]] = {SMALL: [], options.machines: []}
    for number in range(ROUNDS):
        for fleet in (small, large):
            status[fleet.machines] += _status(folder / f"{fleet.machines}-{number}", fleet)
    medians = {number: statistics.median(each) for number, each in status.items()}
    return {
        "status median ms": {number: round(each * 1e3, 3) for number, each in medians.items()},
        "status p99 ms": {
            number: round(statistics.quantiles(each, n=100)[98] * 1e3, 3)
            for number, each in status.items()
        },
        "status ratio": round(medians[large.machines] / medians[small.machines], 3),
        "release": _release(large, options.profiles),
    }


def _status(folder: Path, fleet: Fleet) -> list[float]:
    server = Server(folder, data_dir=fleet.folder, npm_registry_url="")
    times = []
    with server.start(), requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {server.token}"
        for _ in range(ASKED):
            begin = time.perf_counter()
            session.get(server.url + "/v1/status", timeout=30).raise_for_status()
            times.append(time.perf_counter() - begin)
    return times[ASKED // 10 :]


def _release(fleet: Fleet, profiles: int) -> Mapping[str, Any]:
    engine = open_engine(fleet.url)
    writer = Writer(engine)
    now = int(time.time())
    with engine.connect() as conn:
        current = Current(public.load_ledger(conn))

    def publish(conn: Any) -> None:
        conn.execute(update(readings).values(last_seen=now - 1))
        told = {"source": "npm", "channel": "latest", "version": NEXT}
        conn.execute(insert(readings).values(**told, first_seen=now, last_seen=now))
        conn.execute(insert(releases).values(version=NEXT, source="npm", published_at=now))
        current.ledger = public.load_ledger(conn)

    writer.run(publish).result()
    begin, cpu = time.perf_counter(), time.process_time()
    written = judge_again(engine, writer, current, lambda: now, only_due=False)
    wall_s, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
    with engine.connect() as conn:
        stand = {standing: number for (_, standing), number in standings(conn).items()}
    writer.close()
    engine.dispose()
    assert stand == {"pending": fleet.machines}, (HEAD.version, stand)
    return {
        "profiles": profiles,
        "machines": fleet.machines,
        "verdicts written": written,
        "seconds": round(wall_s, 3),
        "cpu seconds": round(cpu_s, 3),
    }
