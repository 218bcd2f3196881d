"""Machines that keep checking in, whatever befalls the servers, and know what they were told.

What a machine sends next and what an answer means is the agent's own code; its journal is a few
values in memory, so that they can be held against the database. It speaks through a balancer: one
that finds a server down, slow or unwilling asks another one, with the same bytes.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from types import TracebackType
from typing import Self

import requests

from agent import __version__, answers, digest, exchange
from agent.answers import Answer
from agent.exchange import Answered, Backlog, Exchange, Pace
from agent.exchange_table import Effect, Event, Outcome, State
from agent.wire import Activity, Profile
from tests.e2e.fleet import Machine
from tests.e2e.harness import Server

PACE = Pace(min_s=0.2, max_s=0.5, base_s=0.2, cap_s=1.0, spread_s=0.0)
"""A hurry that no real laptop has: some hundred check-ins of each in a minute."""

ANSWER_S = 4.0
"""Seconds after which a server is taken for gone."""

AVOIDED_S = 2.0
"""Seconds for which one that failed is asked last."""

CHANGES_EVERY = 5
"""Check-ins from one change of a machine's profile to the next."""

PAUSE_S = 0.005
_DAY_S = 86_400
_REST = frozenset({State.REST, State.BACK_OFF})


@dataclass(frozen=True)
class Said:
    """A check-in with the bytes that were sent."""

    body: bytes
    seq: int
    profile: str
    starts: int


@dataclass
class Told:
    """What a machine was acknowledged.

    Attributes:
        seq: The last number.
        profiles: The digests that it changed to, the oldest first.
        starts: Of sessions; all of its activity.
    """

    seq: int = 0
    profiles: list[str] = field(default_factory=list)
    starts: int = 0


class Balancer:
    """Asks one server, and the others if that one does not do it.

    Args:
        servers: All that answer for each other.

    Attributes:
        answered: How often each one did, by its address.
        unavailable: How often each one said so by 503.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self.answered: Counter[str] = Counter()
        self.unavailable: Counter[str] = Counter()
        self._urls = [server.url for server in servers]
        self._turns = itertools.count()
        self._avoided = dict.fromkeys(self._urls, 0.0)

    def ask(self, session: requests.Session, method: str, path: str, **sent: object) -> Answer:
        """The first answer that is one; else the last 503, or 504 for none."""
        answer = Answer(HTTPStatus.GATEWAY_TIMEOUT)
        for url in self._in_turn():
            try:
                came = session.request(method, url + path, timeout=ANSWER_S, **sent)  # type: ignore[arg-type]
            except requests.RequestException:
                self._avoided[url] = time.monotonic() + AVOIDED_S
                continue
            answer = Answer(came.status_code, came.content)
            if came.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                self.answered[url] += 1
                return answer
            self.unavailable[url] += 1
            self._avoided[url] = time.monotonic() + AVOIDED_S
        return answer

    def _in_turn(self) -> list[str]:
        first, now = next(self._turns) % len(self._urls), time.monotonic()
        turned = self._urls[first:] + self._urls[:first]
        return sorted(turned, key=lambda url: self._avoided[url] > now)


class Member:
    """One machine.

    Args:
        machine: As it was enrolled.
        number: Its own, from 1 on.
        profiles: What it may run.

    Attributes:
        told: What it was acknowledged.
        wish: The profile that it runs from now on; None while it changes by itself.
        faults: Answers that none of this should have brought about.
    """

    def __init__(self, machine: Machine, number: int, profiles: Sequence[Profile]) -> None:
        self.machine = machine
        self.told = Told()
        self.wish: Profile | None = None
        self.faults: list[str] = []
        self.build = f"{number:064x}"
        self._random = Random(number)  # noqa: S311 - chances, no secrets
        self._profiles = profiles
        self._present = profiles[0]
        self._bodies: dict[str, bytes] = {}
        self._said: Said | None = None
        self._x = Exchange(State.CHECK_IN)

    @property
    def at_rest(self) -> bool:
        """Everything that it said was answered, and nothing is wanted of it."""
        return self._x.state is State.REST and self._said is None and not self._x.wanted

    def converse(self, ask: Callable[..., Answer], *, begin: bool) -> None:
        """Says what is due, until there is nothing more.

        Args:
            ask: Sends a request.
            begin: Whether it may say something new.
        """
        now = time.time()
        if self._x.state in _REST:
            if self._x.at > now or (self.at_rest and not begin):
                return
            self._x = self._happened(Event.DUE)
        while self._x.state not in _REST and not self.faults:
            self._turn(ask)

    def _turn(self, ask: Callable[..., Answer]) -> None:
        state = self._x.state
        if state is State.CHECK_IN:
            self._said = self._said or self._say()
            answer = ask("POST", "/v1/check-ins", data=self._said.body, **self._heads)
        elif state is State.UPLOAD:
            name = self._x.wanted[0]
            answer = ask("PUT", f"/v1/profiles/{name}", data=self._bodies[name], **self._heads)
        elif state is State.ASK:
            answer = ask("GET", "/v1/machines/me", **self._heads)
        else:
            self.faults.append(f"it is {state.value}: {self._x.reason}")
            return
        self._hear(answers.classify(state, answer, wire=1), answer)

    def _hear(self, answered: Answered, answer: Answer) -> None:
        before = self._x.state
        if answered.outcome not in {Outcome.DONE, Outcome.BUSY, Outcome.UNREACHED}:
            self.faults.append(f"{before.value} was answered {answer}")
        self._x, effect = exchange.answered(
            self._x, answered, PACE, now=time.time(), chance=self._random.random()
        )
        if effect is Effect.ACKNOWLEDGE and self._said is not None:
            self._keep(self._said)
            self._said = None

    def _keep(self, said: Said) -> None:
        self.told.seq = said.seq
        self.told.starts += said.starts
        if self.told.profiles[-1:] != [said.profile]:
            self.told.profiles.append(said.profile)

    def _say(self) -> Said:
        seq = self.told.seq + 1
        if self.wish is not None:
            self._present = self.wish
        elif seq % CHANGES_EVERY == 0:
            self._present = self._random.choice(self._profiles)
        body = digest.canonical(self._present)
        name = digest.of_bytes(body)
        self._bodies[name] = body
        starts = self._random.randrange(3)
        clock = int(time.time())
        used = Activity(clock // _DAY_S, "terminal", self.build, seconds=60 * starts, starts=starts)
        backlog = Backlog(self.machine.epoch, seq, name, activity=(used,) if starts else ())
        said = exchange.check_in(backlog, wire=1, agent=__version__, clock=clock)
        return Said(said, seq, name, starts)

    def _happened(self, event: Event) -> Exchange:
        return exchange.happened(self._x, event, PACE, now=time.time(), chance=0.0)

    @property
    def _heads(self) -> dict[str, dict[str, str]]:
        return {"headers": self.machine.headers}


class Crowd:
    """Lets machines speak, in a few threads; a context manager that lets them end.

    Args:
        members: All machines.
        balancer: How they reach the servers.
        threads: How many conversations there are at a time.
    """

    def __init__(self, members: Sequence[Member], balancer: Balancer, threads: int) -> None:
        self.members = members
        self._balancer = balancer
        self._leaving = threading.Event()
        self._gone = threading.Event()
        self._threads = [
            threading.Thread(target=self._speak, args=[members[at::threads]])
            for at in range(threads)
        ]

    @property
    def faults(self) -> list[str]:
        """Answers that should not have come."""
        return [f"{each.machine.label}: {fault}" for each in self.members for fault in each.faults]

    def settle(self, timeout_s: float) -> bool:
        """Says nothing new; whether all that was said is answered in time."""
        self._leaving.set()
        ends = time.monotonic() + timeout_s
        while not all(each.at_rest for each in self.members) and time.monotonic() < ends:
            self._gone.wait(PACE.min_s)
        return all(each.at_rest for each in self.members)

    def _speak(self, members: Sequence[Member]) -> None:
        with requests.Session() as session:
            session.trust_env = False

            def ask(method: str, path: str, **sent: object) -> Answer:
                return self._balancer.ask(session, method, path, **sent)

            while not self._gone.wait(PAUSE_S):
                for each in members:
                    each.converse(ask, begin=not self._leaving.is_set())

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._gone.set()
        for thread in self._threads:
            thread.join()
