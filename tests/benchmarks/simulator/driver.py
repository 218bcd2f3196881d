"""Lets all laptops speak when they are due: one loop, a heap of timers, some connections.

::

    timers (at, laptop)  --due-->  queue  -->  one of `connections` workers: a conversation
           ^------------------ at rest, or backing off --------------------'

A conversation is what the agent's is: requests until the exchange has nothing to send. So many
at a time as there are connections; what waits longer than its due time is told as `late`, so
that a client that was too slow cannot be taken for a fast server.
"""

import asyncio
import gc
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from agent import answers
from agent.answers import Answer
from agent.exchange import Answered
from agent.exchange_table import Outcome, State
from tests.benchmarks.simulator.homecoming import Homecoming
from tests.benchmarks.simulator.link import REFUSED, Link, LinkError, written
from tests.benchmarks.simulator.machines import SENDING, Fleet, Request
from tests.benchmarks.simulator.measures import Measures

REQUESTS_MAX = 64
"""Most requests of one conversation, as of the agent."""

TICK_S = 0.01
"""How often it is looked who is due, in seconds."""

COLLECT_EVERY_S = 1.0
"""How often young garbage is collected; the fleet itself never is."""

Updated = Callable[[float], int]
"""How many laptops have taken the release, by seconds of the run."""


class Weather:
    """Whether the server can be reached: what fails in an outage is no error.

    Attributes:
        is_down: It cannot.
        is_gone: Its process has ended, so that nobody listens: a connection would be refused. It
            is not tried then; a million laptops that lost their server would try it some
            thousand times a second, at the cost of this client alone.
        outages: How many began so far.
    """

    def __init__(self) -> None:
        self.is_down = False
        self.is_gone = False
        self.outages = 0

    def begin_outage(self) -> None:
        """From now on it cannot."""
        self.is_down = True
        self.outages += 1

    def end_outage(self) -> None:
        """From now on it can."""
        self.is_down = False

    def was_fair_since(self, outages: int) -> bool:
        """Whether the server could be reached all the time since that many outages had begun."""
        return not self.is_down and self.outages == outages


@dataclass(frozen=True)
class Way:
    """How laptops reach the server.

    Attributes:
        url: Its address, on loopback.
        connections: Most conversations at a time.
        keep_alive: Connections outlive a conversation, as through a proxy.
    """

    url: str
    connections: int
    keep_alive: bool

    def link(self) -> Link:
        """A new connection."""
        split = urlsplit(self.url)
        return Link(split.hostname or "", split.port or 0)

    @property
    def host(self) -> str:
        """As in the ``Host`` head."""
        return urlsplit(self.url).netloc


class Driver:
    """Drives a fleet.

    Args:
        fleet: Its laptops are enrolled.
        way: To the server.
        weather: As whoever stops the server tells it.
        measures: Counts.
        random: All chances.
        clock: Of the laptops, epoch seconds.
    """

    def __init__(
        self,
        fleet: Fleet,
        way: Way,
        weather: Weather,
        measures: Measures,
        random: Random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fleet = fleet
        self._way = way
        self._weather = weather
        self._measures = measures
        self._clock = clock
        self._updated: Updated = _nobody
        self._homecoming: Homecoming | None = None
        self._chance = random.random
        self._timers = [(each.x.at, index) for index, each in enumerate(fleet.laptops)]
        heapq.heapify(self._timers)
        self._due: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
        self._began = 0.0
        self._updates = 0
        self._random = random
        self._order: list[int] = []

    async def run(
        self,
        seconds: float,
        *,
        updated: Updated | None = None,
        homecoming: Homecoming | None = None,
    ) -> None:
        """Drives for so long, then lets what is under way end.

        Args:
            seconds: How long.
            updated: When laptops take the release; without it none does.
            homecoming: Notes who comes back; once all did it is over.
        """
        self._began = self._clock()
        if updated is not None:
            self._updated = updated
            # Laptops update in an order of their own, not in that of their timers.
            self._order = list(range(len(self._fleet)))
            self._random.shuffle(self._order)
        self._homecoming = homecoming
        workers = [asyncio.create_task(self._work()) for _ in range(self._way.connections)]
        gc.freeze()
        gc.disable()
        try:
            await self._turn_timers(self._began + seconds)
        finally:
            gc.enable()
            while not self._due.empty():
                self._due.get_nowait()
            for _ in workers:
                self._due.put_nowait((-1, 0.0))
            await asyncio.gather(*workers)

    async def _turn_timers(self, ends: float) -> None:
        collected = now = self._clock()
        while now < ends and not (self._homecoming and self._homecoming.is_over):
            self._take_due(now)
            self._take_updates(now)
            if now > collected + COLLECT_EVERY_S:
                gc.collect(1)
                collected = now
            await asyncio.sleep(TICK_S)
            now = self._clock()

    def _take_due(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            at, index = heapq.heappop(self._timers)
            if self._fleet.due(index, at, now, self._chance()):
                self._due.put_nowait((index, at))

    def _take_updates(self, now: float) -> None:
        upto = self._updated(now - self._began)
        for index in self._order[self._updates : upto]:
            if self._fleet.update(index, now, self._chance()):
                self._due.put_nowait((index, now))
        self._updates = max(self._updates, upto)

    async def _work(self) -> None:
        with self._way.link() as link:
            while True:
                index, at = await self._due.get()
                if index < 0:
                    break
                self._measures.late.add(self._clock() - at)
                await self._converse(link, index)
                if not self._way.keep_alive:
                    link.close()
        self._measures.connections += link.opened
        self._measures.sent_bytes += link.sent_bytes
        self._measures.received_bytes += link.received_bytes

    async def _converse(self, link: Link, index: int) -> None:
        laptop = self._fleet.laptops[index]
        for _ in range(REQUESTS_MAX):
            if laptop.x.state not in SENDING:
                heapq.heappush(self._timers, (laptop.x.at, index))
                self._note_rest(index)
                return
            answer = await self._turn(link, index)
            self._fleet.hear(index, answer, self._clock(), self._chance())
            if self._homecoming and answer.outcome is Outcome.BUSY:
                self._homecoming.turned_away(index, self._clock())
        # A server that wants more is heard the next time.
        self._due.put_nowait((index, self._clock()))

    def _note_rest(self, index: int) -> None:
        x = self._fleet.laptops[index].x
        if self._homecoming and x.state is State.REST:
            self._homecoming.rested(index, self._clock(), x.at)

    async def _turn(self, link: Link, index: int) -> Answered:
        laptop = self._fleet.laptops[index]
        state, wire = laptop.x.state, laptop.x.wire
        request = self._fleet.request(index, self._clock(), self._chance())
        if request is None:
            return Answered(Outcome.REFUSED)  # as the agent has it
        data = written(request, self._fleet.token(index), self._way.host)
        if state is State.CHECK_IN:
            self._measures.said += 1
            self._measures.body_bytes += len(request.body or b"")
            self._measures.repeated += request.is_repeat
        outages, begin = self._weather.outages, time.perf_counter()
        try:
            answer = await self._ask(link, data)
        except LinkError as error:
            self._unreached(str(error), outages)
            answered = Answered(Outcome.UNREACHED, reason=str(error))
        else:
            answered = answers.classify(state, answer, wire=wire)
            self._answered(request, answer, answered, time.perf_counter() - begin, outages)
        self._measures.answers[state, answered.outcome] += 1
        return answered

    async def _ask(self, link: Link, data: bytes) -> Answer:
        if self._weather.is_gone:
            raise LinkError(REFUSED)
        return await link.ask(data)

    def _unreached(self, why: str, outages: int) -> None:
        is_error = self._weather.was_fair_since(outages)
        (self._measures.unreached if is_error else self._measures.in_outage)[why] += 1

    def _answered(
        self, request: Request, answer: Answer, answered: Answered, took_s: float, outages: int
    ) -> None:
        measures = self._measures
        measures.statuses[answer.status] += 1
        if request.method != "POST":
            return
        if self._weather.was_fair_since(outages):
            measures.latency.add(took_s)
        if answered.outcome is Outcome.DONE:
            measures.acked += 1
            measures.by_second[int(self._clock() - self._began)] += 1


def _nobody(_: float) -> int:
    return 0
