"""One conversation with the server: the exchange's table, the journal and the wire joined.

Each turn does what the state says, then what the table says the journal has to do, and
only then takes the next state: killed between any two of these, the agent sends the same
bytes again. What was last sent and last answered is remembered for ``show`` and ``status``. The
machine's next token is on disk before it signs anything (`agent.identity`).

A check-in that was composed before a pause, or during one, is sent again as it is; another
one then follows at once that tells how it is now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import msgspec
import structlog

from agent import __version__, answers, digest, exchange, wire
from agent.answers import Answer
from agent.errors import ExchangeError
from agent.exchange import Answered, Exchange, Pace
from agent.exchange_table import TRANSITIONS, Effect, Event, Outcome, State
from agent.identity import Renewal
from agent.journal import Journal
from agent.pause_file import Pauses
from agent.wire import WANTED_MAX, CheckIn

REQUESTS_MAX = 64
"""Most requests of one conversation; a server that wants more is heard the next time."""

_SENDING = frozenset(state for state, _ in TRANSITIONS)
_RENEWING = frozenset({State.RENEW, State.REGAIN})
_log = structlog.stdlib.get_logger("agent.talk")


class Sender(Protocol):
    """The way to the server: `agent.transport.Transport`."""

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Sends one request and reads its answer.

        Raises:
            ExchangeError: No answer came, or none that can be read.
        """
        ...

    def use(self, token: str) -> None:
        """Signs every later request with this token."""
        ...


@dataclass(frozen=True)
class Talk:
    """What a conversation needs.

    Attributes:
        journal: What there is to tell.
        pauses: Whether this laptop's user asked to be left alone.
        renewal: How the machine gets its next token.
        transport: The way to the server.
        pace: How fast to go.
        clock: Epoch seconds.
        chance: A fresh random number from 0 to 1.
    """

    journal: Journal
    pauses: Pauses
    renewal: Renewal
    transport: Sender
    pace: Pace
    clock: Callable[[], float]
    chance: Callable[[], float]

    def until_rest(self, x: Exchange) -> Exchange:
        """Sends and listens until there is nothing to send now.

        Raises:
            JournalError: What was sent or answered could not be kept.
        """
        x = replace(x, wanted=self.journal.wanted())
        for _ in range(REQUESTS_MAX):
            if x.state is State.REST and (self.journal.untold() or self._told_of_a_pause()):
                x = self._happened(x, Event.CHANGED)
            elif x.state is State.PAUSED and self._has_untold_pause():
                x = self._happened(x, Event.PAUSED)
            if x.state not in _SENDING:
                break
            x = self._turn(x)
        return x

    def _told_of_a_pause(self) -> bool:
        kept = self.journal.remembered("check-in")
        return kept is not None and _read(kept[0]).paused_s > 0

    def _has_untold_pause(self) -> bool:
        pause = self.pauses.current(int(self.clock()))
        return pause is not None and not pause.is_told

    def _pause_told(self) -> None:
        sent = self.journal.sent()
        if sent is not None and (told := _read(sent)).paused_s:
            self.pauses.told(until=told.clock + told.paused_s)

    def _happened(self, x: Exchange, event: Event) -> Exchange:
        return exchange.happened(x, event, self.pace, now=self.clock(), chance=self.chance())

    def _turn(self, x: Exchange) -> Exchange:
        answer, body = self._ask(x)
        y, effect = exchange.answered(x, answer, self.pace, now=self.clock(), chance=self.chance())
        self._apply(effect, x, answer, body)
        level = _log.debug if answer.outcome is Outcome.DONE else _log.warning
        level(
            "answer",
            asked=x.state.value,
            outcome=answer.outcome.value,
            then=y.state.value,
            reason=answer.reason,
        )
        return y

    def _ask(self, x: Exchange) -> tuple[Answered, bytes]:
        try:
            answer = self._send(x)
        except ExchangeError as error:
            return Answered(Outcome.UNREACHED, reason=str(error), advice=error.advice), b""
        if answer is None:
            # The journal let these bytes go, or an older agent kept no key: nothing is asked.
            return Answered(Outcome.REFUSED), b""
        return answers.classify(x.state, answer, wire=x.wire), answer.body

    def _send(self, x: Exchange) -> Answer | None:
        if x.state is State.ASK:
            return self.transport.send("GET", "v1/machines/me")
        if x.state is State.UPLOAD:
            body = self.journal.profile(x.wanted[0])
            if body is None:
                return None
            self.journal.remember("profile", body, int(self.clock()))
            return self.transport.send("PUT", f"v1/profiles/{x.wanted[0]}", body)
        if x.state in _RENEWING:
            return self._renew(x)
        return self.transport.send("POST", "v1/check-ins", self._check_in(x))

    def _renew(self, x: Exchange) -> Answer | None:
        key = self.renewal.who.key
        if key is None:
            return None
        body = digest.canonical(wire.Renewal(wire=x.wire, key=key))
        return self.transport.send("POST", "v1/machines/me/token", body)

    def _check_in(self, x: Exchange) -> bytes:
        body = self.journal.sent()
        now = int(self.clock())
        if body is None:
            backlog = self.journal.backlog()
            if backlog is None:
                raise RuntimeError("a check-in before the first profile was recorded")
            pause = self.pauses.current(now) if x.state is State.ANNOUNCE else None
            body = exchange.check_in(
                backlog,
                wire=x.wire,
                agent=__version__,
                clock=now,
                paused_s=pause.left_s(now) if pause else 0,
            )
            self.journal.keep_sent(body, backlog)
        self.journal.remember("check-in", body, now)
        return body

    def _apply(self, effect: Effect, x: Exchange, answer: Answered, body: bytes) -> None:
        journal = self.journal
        if effect is Effect.ACKNOWLEDGE and answer.ack is not None:
            self._pause_told()
            wanted = answer.ack.wanted
            journal.acknowledge(wanted, more_may_follow=len(wanted) >= WANTED_MAX)
            journal.remember("ack", body, int(self.clock()))
        elif effect is Effect.NEW_EPOCH:
            journal.begin_epoch()
        elif effect is Effect.SHED:
            journal.shed()
        elif effect is Effect.DELIVERED:
            journal.delivered(x.wanted[0])
        elif effect is Effect.KEEP_TOKEN and answer.token is not None:
            self.renewal.keep(answer.token)
            self.transport.use(answer.token)
        elif effect is Effect.KEEP_VIEW:
            journal.remember("view", body, int(self.clock()))


def _read(body: bytes) -> CheckIn:
    # Our own bytes: those of an older agent are read by this one, as a server reads them.
    return msgspec.json.decode(body, type=CheckIn)
