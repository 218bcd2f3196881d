"""An outage of any fleet: steady, then no server for a while, then all come back.

::

    real time     |---- steady ----|X played X|start|-- until every laptop is back --|
    laptops' time |---- steady ----|X----- the whole outage -----X|------------------|

The server is killed under load and started again, with its clock where the outage has brought
it. What laptops do meanwhile is not waited for (`tests.benchmarks.simulator.absence`): their
agents' back-off decides each attempt, and so when each comes back. That, in turn, is real: it
takes up to one and a half of the agents' longest back-off. The fleet begins as it would be
after some quiet hours, each machine in the server's slot for it.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from server.store import acks
from server.store.engine import open_engine
from tests.benchmarks import fleets
from tests.benchmarks.simulator import absence, audit, database, meter, stage
from tests.benchmarks.simulator.clock import Clock
from tests.benchmarks.simulator.driver import Driver, Way, Weather
from tests.benchmarks.simulator.homecoming import Homecoming
from tests.benchmarks.simulator.machines import Fleet
from tests.benchmarks.simulator.outage_report import Away, Outage, Phase, Plan, told
from tests.benchmarks.simulator.stage import Stage
from tests.benchmarks.simulator.viewer import Viewer, seen

KILLED_S = 1.0
"""How long laptops still try in real time once the server was killed under them, in seconds."""

LOOK_EVERY_S = 0.5
"""How often it is looked what the processes cost, in seconds."""


def run(folder: Path, plan: Plan) -> Mapping[str, Any]:
    """Lets a fleet live through an outage and tells all about it.

    Args:
        folder: Of the run's own; it may be big in the end.
        plan: What is asked.
    """
    with stage.set_up(folder, plan.options) as found:
        return _Run(folder, plan, found).whole()


def slots(machines: int, interval_s: int, now: float) -> Iterator[float]:
    """When each machine of a fleet checks in next that the server has spread. Pure.

    Args:
        machines: How many.
        interval_s: Seconds between two check-ins of one of them.
        now: Epoch seconds.
    """
    for number in range(machines):
        after_s = acks.next_s(fleets.machine_id(number), interval_s, int(now))
        # They are not in step to the second: each slot is one second wide.
        yield now + (after_s + number / machines) % interval_s


@dataclass
class _Run:
    """A run with its parts."""

    folder: Path
    plan: Plan
    stage: Stage
    clock: Clock = field(default_factory=Clock)
    weather: Weather = field(default_factory=Weather)

    def __post_init__(self) -> None:
        wanted = self.plan.options
        self.random = Random(wanted.seed)  # noqa: S311 - chances, no secrets
        self.way = Way(self.stage.server.url, wanted.connections, wanted.keep_alive)
        self.server = self.stage.server

    def whole(self) -> Mapping[str, Any]:
        """Drives the fleet and holds the database against it."""
        wanted, plan = self.plan.options, self.plan
        engine = open_engine(self.stage.url)
        try:
            with engine.connect() as conn:
                fleet = stage.fleet_of(conn, wanted, self.random)
            with self.server:
                fleet.enrol(
                    slots(wanted.machines, wanted.mix.interval_s, self.clock()),
                    wanted.mix.interval_s,
                )
                with self._viewer() as viewer:
                    steady = asyncio.run(self._steady(fleet, plan.options.seconds))
                    away = self._stay_away(fleet, steady)
                    home = Homecoming(len(fleet), self.clock(), wanted.mix.interval_s)
                    back = asyncio.run(self._return(fleet, home))
                looks = viewer.looks()
                fleet.give_up()
                doctor = stage.doctor(self.server)
                steady.costs.exit_codes.append(self.server.stop())
            with engine.connect() as conn:
                found = audit.audit(conn, fleet)
                steady.costs.database_bytes = database.size(conn)
        finally:
            engine.dispose()
        for each in (steady, back):
            each.saw(seen(looks, each.began, each.ended))
        return told(Outage(plan, steady, away, back, home, found, doctor))

    def _viewer(self) -> Viewer:
        every_s = self.plan.options.mix.status_every_s
        return Viewer(self.server.url, self.server.token, every_s, self.folder / "looks")

    async def _steady(self, fleet: Fleet, seconds: float) -> Phase:
        _let_pass(fleet, self.clock())
        phase = self._begin()
        killing = asyncio.create_task(self._kill(phase, seconds))
        await self._drive(fleet, phase, seconds + KILLED_S)
        await killing
        return phase

    async def _kill(self, phase: Phase, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._end(phase)
        self.weather.begin_outage()
        phase.costs.exit_codes.append(await asyncio.to_thread(self.server.kill))
        self.weather.is_gone = True

    def _stay_away(self, fleet: Fleet, steady: Phase) -> Away:
        begins, real = self.clock(), time.monotonic()
        ends = max(begins + self.plan.outage_s - KILLED_S, begins)
        tries = absence.live(fleet, begins, ends, self.random.random)
        played_s = time.monotonic() - real
        self.clock.move_to(ends)
        self.server.move_clock(self.clock.ahead_s)
        real = time.monotonic()
        self.server.start()
        steady.costs.starts_s.append(round(time.monotonic() - real, 3))
        # A server that only just starts is none yet.
        ends = self.clock()
        tries += absence.live(fleet, begins, ends, self.random.random)
        self.weather.is_gone = False
        self.weather.end_outage()
        return Away(tries, KILLED_S + ends - begins, played_s, self.stage.made_s)

    async def _return(self, fleet: Fleet, home: Homecoming) -> Phase:
        phase = self._begin()
        await self._drive(fleet, phase, self.plan.return_max_s, home)
        self._end(phase)
        return phase

    async def _drive(
        self, fleet: Fleet, phase: Phase, seconds: float, home: Homecoming | None = None
    ) -> None:
        driver = Driver(fleet, self.way, self.weather, phase.measures, self.random, self.clock)
        looking = asyncio.create_task(_keep_looking(phase))
        await driver.run(seconds, homecoming=home)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    def _begin(self) -> Phase:
        phase = Phase(began=time.time(), own_before_s=meter.own_cpu_s())
        assert self.server.process is not None
        phase.costs.server.watch(self.server.process.pid)
        if self.stage.opened.pid is not None:
            phase.costs.database.watch(self.stage.opened.pid)
        return phase

    def _end(self, phase: Phase) -> None:
        phase.look()
        phase.ended = time.time()
        phase.costs.seconds = phase.ended - phase.began
        phase.costs.own_cpu_s = meter.own_cpu_s() - phase.own_before_s
        phase.costs.own_bytes = meter.own_resident_bytes()


async def _keep_looking(phase: Phase) -> None:
    while not phase.ended:
        phase.look()
        await asyncio.sleep(LOOK_EVERY_S)


def _let_pass(fleet: Fleet, now: float) -> None:
    """A slot that passed while a big fleet was made comes again: nobody is late from the start."""
    for laptop in fleet.laptops:
        if laptop.x.at < now:
            laptop.x = replace(laptop.x, at=laptop.x.at + laptop.x.next_s)
