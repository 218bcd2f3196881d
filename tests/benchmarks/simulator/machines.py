"""Simulated laptops: the agent's own exchange, with a journal of a few numbers. Pure.

What a laptop sends next, what an answer means and how long it waits is the agent's own code
(`agent.exchange`, `agent.answers`). Only the journal is another one: a check-in without an
answer is kept as what it was made of, so that it can be made again byte for byte, and a million
laptops fit into one process (some 700 bytes each with their timers; a journal on disk has 50 KB).

A journal's duties are kept: numbers grow by one within an epoch; what was sent stays until it is
acknowledged; use is told once for each acknowledgement, and again in a new epoch. What the
server has to hold afterwards is a `Claim`.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent import __version__, exchange
from agent.exchange import Answered, Backlog, Exchange, Pace
from agent.exchange_table import TRANSITIONS, Effect, Event, State
from agent.wire import Activity
from tests.benchmarks import fleets
from tests.benchmarks.simulator.laptop import Claim, Laptop, Said
from tests.benchmarks.simulator.profiles import Profiles

SENDING = frozenset(state for state, _ in TRANSITIONS)
"""The states in which a request is due at once."""

SURFACE = "terminal"
"""The surface of all use that is told; in the database of a run nobody else tells of any."""

USED_S = 60
"""How many seconds each count of use has."""

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Request:
    """What a laptop sends now.

    Attributes:
        method: Of HTTP.
        path: Of the server.
        body: JSON, where there is one.
        is_repeat: A check-in that was sent before.
    """

    method: str
    path: str
    body: bytes | None = None
    is_repeat: bool = False


@dataclass
class Uses:
    """Counts of use that the laptops told; each is one start.

    Attributes:
        acked: In acknowledged check-ins.
        uncertain: In check-ins that were given up without an answer: the server may have them.
    """

    acked: int = 0
    uncertain: int = 0


class Fleet:
    """All laptops of a run.

    Args:
        machines: How many identities there are.
        clones: Numbers of those that exist twice; the copies come after all others.
        profiles: Shared among the machines in turn.
        pace: How fast the agents go.
        used: The share of check-ins that tell of use; copied laptops tell none.
    """

    def __init__(
        self,
        machines: int,
        clones: Sequence[int],
        profiles: Profiles,
        pace: Pace,
        used: float,
    ) -> None:
        self.machines = machines
        self.clones = clones
        self.pace = pace
        self.uses = Uses()
        self.laptops: list[Laptop] = []
        self._profiles = profiles
        self._used = used
        self._copied = frozenset(clones)

    def __len__(self) -> int:
        return self.machines + len(self.clones)

    def enrol(self, begins_at: Iterable[float], interval_s: float) -> None:
        """Makes the laptops: enrolled, known with their profile, at rest.

        Args:
            begins_at: When each checks in first; epoch seconds.
            interval_s: Seconds between two check-ins.
        """
        for index, at in enumerate(begins_at):
            tag = self._profiles.tag(self.number(index) % len(self._profiles))
            x = Exchange(state=State.REST, at=at, next_s=interval_s, tag=tag, ack_tag=tag)
            self.laptops.append(Laptop(x, fleets.EPOCH, fleets.SEQ))

    def number(self, index: int) -> int:
        """The identity of a laptop."""
        return index if index < self.machines else self.clones[index - self.machines]

    def token(self, index: int) -> str:
        """A laptop's token."""
        return fleets.token_of(fleets.machine_id(self.number(index)))

    def is_copied(self, number: int) -> bool:
        """Whether an identity exists twice."""
        return number in self._copied

    def due(self, index: int, at: float, now: float, chance: float) -> bool:
        """A timer of a laptop ended: whether it has something to send now.

        Args:
            index: Of the laptop.
            at: The timer's moment; it may be of a wait that is over.
            now: Epoch seconds.
            chance: From 0 to 1.
        """
        laptop = self.laptops[index]
        if laptop.x.state in SENDING or laptop.x.at != at:
            return False
        laptop.x = exchange.happened(laptop.x, Event.DUE, self.pace, now=now, chance=chance)
        return True

    def update(self, index: int, now: float, chance: float) -> bool:
        """A laptop takes the release: whether it has something to send that it had not before."""
        laptop = self.laptops[index]
        laptop.is_new = True
        if laptop.x.state in SENDING:
            return False
        laptop.x = exchange.happened(laptop.x, Event.CHANGED, self.pace, now=now, chance=chance)
        return laptop.x.state in SENDING

    def request(self, index: int, now: float, chance: float) -> Request | None:
        """What a laptop sends now; None for what it has not got.

        That is a profile that is not its own, and whatever takes more than a token: these
        laptops never enrolled by themselves.

        Args:
            index: Of the laptop, in a state of `SENDING`.
            now: Epoch seconds.
            chance: From 0 to 1: whether a new check-in tells of use.
        """
        laptop = self.laptops[index]
        if laptop.x.state is State.ASK:
            return Request("GET", "/v1/machines/me")
        if laptop.x.state is State.UPLOAD:
            name = laptop.x.wanted[0]
            body = self._wanted(index, name)
            return None if body is None else Request("PUT", f"/v1/profiles/{name}", body)
        if laptop.x.state is not State.CHECK_IN:
            return None
        is_repeat = laptop.sent is not None
        said = laptop.sent or self._say(laptop, index, int(now), chance)
        laptop.sent = said
        return Request("POST", "/v1/check-ins", self._body(index, said), is_repeat)

    def hear(self, index: int, answer: Answered, now: float, chance: float) -> None:
        """An answer, or that there was none: what it does to a laptop.

        Raises:
            IllegalTransitionError: Nothing was asked.
        """
        laptop = self.laptops[index]
        x, effect = exchange.answered(laptop.x, answer, self.pace, now=now, chance=chance)
        self._keep(laptop, effect)
        if x.state is State.REST and laptop.is_new != laptop.acked_new:
            x = exchange.happened(x, Event.CHANGED, self.pace, now=now, chance=chance)
        # One text for two equal ones: a million laptops have one each.
        laptop.x = replace(x, tag=x.ack_tag) if x.tag == x.ack_tag else x

    def claim(self, index: int) -> Claim:
        """What the server must hold of a laptop."""
        laptop = self.laptops[index]
        is_told = laptop.sent is None and laptop.acked and laptop.epoch == laptop.acked_epoch
        name = self._digest(index, is_new=laptop.acked_new) if is_told else None
        return Claim(laptop.acked_epoch, laptop.acked, laptop.epoch, laptop.seq, name)

    def give_up(self) -> None:
        """The run is over: what has no answer stays without one."""
        self.uses.uncertain += sum(each.sent.used for each in self.laptops if each.sent)

    def _say(self, laptop: Laptop, index: int, clock: int, chance: float) -> Said:
        laptop.seq += 1
        if chance < self._used and not self.is_copied(self.number(index)):
            laptop.used += 1
        return Said(laptop.seq, clock, laptop.x.wire, laptop.is_new, laptop.used)

    def _body(self, index: int, said: Said) -> bytes:
        backlog = Backlog(
            self.laptops[index].epoch,
            said.seq,
            self._digest(index, is_new=said.is_new),
            activity=_activity(said),
        )
        return exchange.check_in(backlog, wire=said.wire, agent=__version__, clock=said.clock)

    def _keep(self, laptop: Laptop, effect: Effect) -> None:
        said = laptop.sent
        if said is None or effect not in {Effect.ACKNOWLEDGE, Effect.NEW_EPOCH, Effect.SHED}:
            return
        laptop.sent = None
        if effect is Effect.ACKNOWLEDGE:
            laptop.acked_epoch, laptop.acked = laptop.epoch, said.seq
            laptop.acked_new = said.is_new
            laptop.used -= said.used
            self.uses.acked += said.used
            return
        laptop.epoch, laptop.seq = secrets.token_hex(8), 0
        self.uses.uncertain += said.used
        if effect is Effect.SHED:
            laptop.used -= said.used

    def _digest(self, index: int, *, is_new: bool) -> str:
        return self._profiles.digest(self._profile(index), is_new=is_new)

    def _wanted(self, index: int, name: str) -> bytes | None:
        for is_new in (True, False):
            if self._digest(index, is_new=is_new) == name:
                return self._profiles.body(self._profile(index), is_new=is_new)
        return None

    def _profile(self, index: int) -> int:
        return self.number(index) % len(self._profiles)


def _activity(said: Said) -> tuple[Activity, ...]:
    if not said.used:
        return ()
    day = said.clock // _DAY_S
    return (Activity(day, SURFACE, seconds=said.used * USED_S, starts=said.used),)
