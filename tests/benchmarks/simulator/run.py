"""One run: a fleet, a server, what befalls them, and what came of it.

Laptops, bad clients and a look at the status now and then, all over HTTP on one stage
(`tests.benchmarks.simulator.stage`), in real time.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from server.store.engine import open_engine
from tests.benchmarks import fleets
from tests.benchmarks.simulator import audit, database, meter, options, report, scenario, stage
from tests.benchmarks.simulator.bad import BadClients
from tests.benchmarks.simulator.driver import Driver, Way, Weather
from tests.benchmarks.simulator.link import LinkError, written
from tests.benchmarks.simulator.machines import Fleet, Request
from tests.benchmarks.simulator.measures import Measures
from tests.benchmarks.simulator.report import Costs, Options
from tests.benchmarks.simulator.scenario import ScenarioError, Step, What
from tests.benchmarks.simulator.stage import Stage

LOOK_EVERY_S = 0.5
"""How often it is looked what the processes cost, in seconds."""


def run(folder: Path, wanted: Options) -> Mapping[str, Any]:
    """Runs a scenario and tells all about it.

    Args:
        folder: Of the run's own; it may be big in the end.
        wanted: What is asked.
    """
    with stage.set_up(folder, wanted) as found:
        return Run(wanted, found).whole()


def measure(folder: Path, asked: argparse.Namespace) -> Mapping[str, Any]:
    """The figures of a fleet that lives, as a part of ``python -m tests.benchmarks``.

    Raises:
        SystemExit: What is asked cannot be run.
    """
    try:
        wanted = options.read(asked, asked.machines, asked.simulated_seconds)
    except (ScenarioError, OSError) as error:
        sys.exit(str(error))
    return run(folder, wanted)


class Run:
    """A run with its parts."""

    def __init__(self, wanted: Options, found: Stage) -> None:
        self._options = wanted
        self._server = found.server
        self._releases = found.releases
        self._opened = found.opened
        self._url = found.url
        self._random = Random(wanted.seed)  # noqa: S311 - chances, no secrets
        self._weather = Weather()
        self._measures = Measures()
        self._costs = Costs()
        self._way = Way(found.server.url, wanted.connections, wanted.keep_alive)
        self._windows: list[tuple[float, float]] = []

    def whole(self) -> Mapping[str, Any]:
        """Drives the fleet and holds the database against it."""
        engine = open_engine(self._url)
        try:
            with engine.connect() as conn:
                fleet = stage.fleet_of(conn, self._options, self._random)
            with self._server:
                self._begin()
                asyncio.run(self._drive(fleet))
                self._look()
                self._costs.own_bytes = meter.own_resident_bytes()
                doctor = stage.doctor(self._server)
                self._costs.exit_codes.append(self._server.stop())
            with engine.connect() as conn:
                found = audit.audit(conn, fleet)
                self._costs.database_bytes = database.size(conn)
        finally:
            engine.dispose()
        return report.report(
            self._options, self._measures, self._costs, self._windows, found, doctor
        )

    def _begin(self) -> None:
        assert self._server.process is not None
        self._costs.server.watch(self._server.process.pid)
        if self._opened.pid is not None:
            self._costs.database.watch(self._opened.pid)

    async def _drive(self, fleet: Fleet) -> None:
        wanted, mix = self._options, self._options.mix
        cpu_s, began = meter.own_cpu_s(), time.time()
        fleet.enrol(
            (began + self._random.random() * mix.interval_s for _ in range(len(fleet))),
            mix.interval_s,
        )
        driver = Driver(
            fleet,
            self._way,
            self._weather,
            self._measures,
            self._random,
        )
        beside = [asyncio.create_task(each) for each in self._beside(began)]
        await driver.run(
            wanted.seconds,
            updated=lambda at_s: scenario.updated(mix, len(fleet), wanted.seconds, at_s),
        )
        # What befalls the server may last a little longer than the fleet's last word.
        await beside[0]
        for each in beside[1:]:
            each.cancel()
        ended = await asyncio.gather(*beside[1:], return_exceptions=True)
        self._costs.seconds = time.time() - began
        self._costs.own_cpu_s = meter.own_cpu_s() - cpu_s
        fleet.give_up()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def _beside(self, began: float) -> Iterator[Any]:
        mix = self._options.mix
        bad = BadClients(self._way, self._weather, self._measures, self._random)
        yield self._befall(began)
        yield self._keep_looking()
        yield bad.hurry(mix.bad_per_s, fleets.token_of(fleets.machine_id(0)))
        yield from (bad.dribble(number) for number in range(mix.slow))
        if mix.status_every_s:
            yield self._watch_status(mix.status_every_s)

    async def _befall(self, began: float) -> None:
        for step in scenario.steps(self._options.mix, self._options.seconds):
            await asyncio.sleep(max(0.0, began + step.at_s - time.time()))
            await self._do(step, began)

    async def _do(self, step: Step, began: float) -> None:
        if step.what is What.RELEASE:
            self._releases.release(int(time.time()))
            return
        if step.what is not What.START:
            self._weather.begin_outage()
            self._look()
            self._windows.append((time.time() - began, 0.0))
            end = self._server.kill if step.what is What.KILL else self._server.stop
            self._costs.exit_codes.append(await asyncio.to_thread(end))
            self._weather.is_gone = True
            return
        self._weather.is_gone = False
        begin = time.perf_counter()
        await asyncio.to_thread(self._server.start)
        assert self._server.process is not None
        self._costs.starts_s.append(round(time.perf_counter() - begin, 3))
        self._costs.server.watch(self._server.process.pid)
        self._windows[-1] = (self._windows[-1][0], time.time() - began)
        self._weather.end_outage()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._look()

    def _look(self) -> None:
        self._costs.server.look()
        self._costs.database.look()

    async def _watch_status(self, every_s: float) -> None:
        asked = written(Request("GET", "/v1/status"), self._server.token, self._way.host)
        while True:
            await asyncio.sleep(every_s)
            outages, begin = self._weather.outages, time.perf_counter()
            with self._way.link() as link, contextlib.suppress(LinkError):
                answer = await link.ask(asked)
                if self._weather.was_fair_since(outages) and answer.status == 200:
                    self._measures.status.add(time.perf_counter() - begin)
                    continue
            self._measures.status_errors += self._weather.was_fair_since(outages)
