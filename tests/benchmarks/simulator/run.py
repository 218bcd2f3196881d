"""One run: a fleet, a server, what befalls them, and what came of it.

The fleet's database is seeded (`tests.benchmarks.fleets`): a million enrolments over HTTP would
take longer than anything that is measured here. From then on all goes over HTTP: laptops, bad
clients and a look at the status now and then, against ``parity-server serve`` as it is
installed, which reads its releases from a made-up registry. Only loopback, only processes and
folders of its own; all ends with the run.
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

from sqlalchemy import Connection, select

from server.store.engine import open_engine
from server.store.tables import profiles, verdicts
from tests.benchmarks import fleets
from tests.benchmarks.simulator import audit, database, meter, options, report, scenario
from tests.benchmarks.simulator.bad import BadClients
from tests.benchmarks.simulator.database import Database
from tests.benchmarks.simulator.driver import Driver, Way, Weather
from tests.benchmarks.simulator.link import LinkError, written
from tests.benchmarks.simulator.machines import Fleet, Request
from tests.benchmarks.simulator.measures import Measures
from tests.benchmarks.simulator.profiles import Profiles
from tests.benchmarks.simulator.registry import Releases
from tests.benchmarks.simulator.report import Costs, Doctor, Options
from tests.benchmarks.simulator.scenario import ScenarioError, Step, What
from tests.e2e.harness import Server

HEADS_PER_INTERVAL = 3
"""How often the server reads the registry while a machine checks in once, as by its defaults."""

DOCTOR_TRIES = 10
"""How often the doctor is asked until the server has judged all by the last release."""

DOCTOR_EVERY_S = 1.0
DOCTOR_TIMEOUT_S = 3_600
LOOK_EVERY_S = 0.5
"""How often it is looked what the processes cost, in seconds."""

_DAY_S = 86_400


def run(folder: Path, wanted: Options) -> Mapping[str, Any]:
    """Runs a scenario and tells all about it.

    Args:
        folder: Of the run's own; it may be big in the end.
        wanted: What is asked.
    """
    with database.opened(wanted.database) as opened, Releases(_a_day_ago()) as releases:
        made = fleets.make(
            folder / "data",
            wanted.machines,
            wanted.mix.profile_count(wanted.machines),
            opened.url,
        )
        server = Server(folder / "server", data_dir=made.folder, **_settings(wanted, opened))
        server.settings["npm_registry_url"] = releases.origin
        return Run(wanted, server, releases, opened, made.url).whole()


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


def _settings(wanted: Options, opened: Database) -> dict[str, str | int | Path]:
    told: dict[str, str | int | Path] = {
        "check_in_interval_s": wanted.mix.interval_s,
        "heads_every_s": max(1, wanted.mix.interval_s // HEADS_PER_INTERVAL),
        "connections_max": max(1_024, 2 * wanted.connections),
    }
    return told | ({"database_url": opened.url} if opened.url else {})


class Run:
    """A run with its parts."""

    def __init__(
        self, wanted: Options, server: Server, releases: Releases, opened: Database, url: str
    ) -> None:
        self._options = wanted
        self._server = server
        self._releases = releases
        self._opened = opened
        self._url = url
        self._random = Random(wanted.seed)  # noqa: S311 - chances, no secrets
        self._weather = Weather()
        self._measures = Measures()
        self._costs = Costs()
        self._way = Way(server.url, wanted.connections, wanted.keep_alive)
        self._windows: list[tuple[float, float]] = []

    def whole(self) -> Mapping[str, Any]:
        """Drives the fleet and holds the database against it."""
        engine = open_engine(self._url)
        try:
            with engine.connect() as conn:
                fleet = self._fleet(conn)
            with self._server:
                self._begin()
                asyncio.run(self._drive(fleet))
                self._look()
                self._costs.own_bytes = meter.own_resident_bytes()
                doctor = self._doctor()
                self._costs.exit_codes.append(self._server.stop())
            with engine.connect() as conn:
                found = audit.audit(conn, fleet)
                self._costs.database_bytes = database.size(conn)
        finally:
            engine.dispose()
        return report.report(
            self._options, self._measures, self._costs, self._windows, found, doctor
        )

    def _fleet(self, conn: Connection) -> Fleet:
        mix, machines = self._options.mix, self._options.machines
        rows = select(profiles.c.digest, verdicts.c.tag).join_from(
            profiles, verdicts, verdicts.c.profile_id == profiles.c.id
        )
        found = conn.execute(rows.order_by(profiles.c.id)).all()
        known = Profiles((row.digest for row in found), (row.tag for row in found))
        clones = sorted(self._random.sample(range(machines), int(machines * mix.clones)))
        return Fleet(machines, clones, known, scenario.pace(mix.interval_s), mix.used)

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
            lambda at_s: scenario.updated(mix, len(fleet), wanted.seconds, at_s),
            self._random,
        )
        beside = [asyncio.create_task(each) for each in self._beside(began)]
        await driver.run(wanted.seconds)
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

    def _doctor(self) -> Doctor:
        """The doctor's word, once the server has had the time to judge all by the release."""
        for tries in range(1, DOCTOR_TRIES):
            said = self._ask_doctor(tries)
            if said.exit_code == 0:
                return said
            time.sleep(DOCTOR_EVERY_S)
        return self._ask_doctor(DOCTOR_TRIES)

    def _ask_doctor(self, tries: int) -> Doctor:
        done = self._server.command("doctor", timeout_s=DOCTOR_TIMEOUT_S)
        return Doctor(done.returncode, tries, tuple(done.stdout.strip().splitlines()))


def _a_day_ago() -> int:
    return int(time.time()) - _DAY_S
