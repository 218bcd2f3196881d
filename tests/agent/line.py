"""A model server behind a bad line, and a laptop that talks to it: for tests of what arrives."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from agent import digest, exchange
from agent.answers import Answer
from agent.errors import ExchangeError
from agent.exchange import Exchange, Pace
from agent.exchange_table import EVENTS, Event, State
from agent.identity import Identity, Renewal
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.talk import Talk
from agent.wire import Ack, Activity, CheckIn, MachineView, Refusal

PACE = Pace()
FAULTS = ("request lost", "answer lost", "busy", "resync", "unreadable", "wrong page")
"""What a line and a server do now and then, and no change is lost by."""

HARSH = ("too large", "killed before", "killed after")
"""What lets changes go, and what ends the agent at a request."""


WHO = Identity("https://parity.example", "m-1", "tok-1", "laptop-7", "default", key="0" * 32)
"""The enrolment of every laptop here."""


class KilledError(BaseException):
    """The agent ended here; nothing of it is left but its files."""


class Line:
    """A server that keeps the protocol, behind a line that does not."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.profiles: set[str] = set()
        self.last: dict[str, int] = {}
        self.faults: list[str] = []
        self.paused_s = 0
        self.used: Counter[tuple[int, str, str, str]] = Counter()
        self.refused: Counter[tuple[int, str, str, str]] = Counter()
        self.dropped = 0
        self.contradicts = False
        self.token = WHO.token

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request, with the next fault that is due."""
        fault = self.faults.pop() if self.faults else ""
        if fault == "busy":
            return Answer(429, b"", retry_after_s=3)
        if fault == "wrong page":
            return Answer(200, b"<p>Welcome to the hotel</p>")
        if fault == "request lost":
            raise _lost()
        if fault == "killed before":
            raise KilledError
        answer = self._answer(path, body or b"", fault)
        if fault == "answer lost":
            raise _lost()
        if fault == "killed after":
            raise KilledError
        assert method in {"GET", "POST", "PUT"}
        return answer

    def use(self, token: str) -> None:
        """Signs every later request with this token."""
        self.token = token

    def _answer(self, path: str, body: bytes, fault: str) -> Answer:
        if path.startswith("v1/profiles/"):
            assert path.endswith(digest.of_bytes(body))
            self.profiles.add(digest.of_bytes(body))
            return Answer(201)
        if path == "v1/machines/me":
            view = MachineView("m", "l", "g", "match", 0, f"tag{len(self.seen)}", 0)
            return Answer(200, msgspec.json.encode(view))
        return self._check_in(msgspec.json.decode(body, type=CheckIn), fault)

    def _check_in(self, sent: CheckIn, fault: str) -> Answer:
        told = [change.profile for change in sent.changes]
        known = self.last.get(sent.epoch, 0)
        # A server does not find fault with what it has accepted before.
        if fault == "unreadable" and sent.seq > known:
            return Answer(422, msgspec.json.encode(Refusal(error="no", advice="no")))
        if fault == "too large":
            # What stands between may refuse what has once arrived.
            self.contradicts |= sent.seq <= known
            self.refused.update(amounts(sent.activity) if sent.seq > known else {})
            return Answer(413)
        if sent.seq < known or (fault == "resync" and sent.seq > known):
            return self._ack((), resync=True)
        if sent.seq > known:
            self.last[sent.epoch] = sent.seq
            self.paused_s = sent.paused_s
            self.used.update(amounts(sent.activity))
            self.dropped += sent.dropped
            for each in (*told, sent.profile):
                if not self.seen or self.seen[-1] != each:
                    self.seen.append(each)
        missing = dict.fromkeys(each for each in (*told, sent.profile))
        return self._ack(tuple(each for each in missing if each not in self.profiles)[:16])

    def _ack(self, wanted: tuple[str, ...], *, resync: bool = False) -> Answer:
        tag = f"tag{len(self.seen)}"
        ack = Ack(state="match", tag=tag, next_s=60, wanted=wanted, resync=resync)
        return Answer(200, msgspec.json.encode(ack))


def amounts(counts: Iterable[Activity]) -> Counter[tuple[int, str, str, str]]:
    """Seconds and starts by what they are of."""
    found: Counter[tuple[int, str, str, str]] = Counter()
    for each in counts:
        found[each.day, each.surface, each.build or "", "seconds"] += each.seconds
        found[each.day, each.surface, each.build or "", "starts"] += each.starts
    return found


def _lost() -> ExchangeError:
    return ExchangeError("lost", advice="wait")


@dataclass
class Laptop:
    """A real journal and conversation over a temporary folder; restarted at will."""

    folder: Path
    line: Line
    now: float = 1_000.0
    x: Exchange = field(default_factory=Exchange)
    seen: list[str] = field(default_factory=list)

    def change(self, profile: int) -> None:
        """Another profile becomes the present one."""
        body = b'{"n":%d}' % profile
        journal = open_journal(self.folder)
        if journal.record(body, int(self.now)):
            self.seen.append(digest.of_bytes(body))
        journal.close()

    def use(self, counts: Iterable[Activity]) -> None:
        """Sessions ran."""
        with closing(open_journal(self.folder)) as journal:
            journal.add_activity(counts)

    def converse(self) -> None:
        """Waits as long as it has to, then says what there is to say."""
        pause = self.pauses.current(int(self.now))
        if pause is not None and pause.is_told:
            return
        if pause is not None and (self.x.state, Event.PAUSED) not in EVENTS:
            self.x = Exchange(state=State.REST)
        for event in (Event.RESUMED, Event.DUE) if pause is None else (Event.PAUSED,):
            if (self.x.state, event) in EVENTS:
                self.now = max(self.now, self.x.at)
                self.x = exchange.happened(self.x, event, PACE, now=self.now, chance=0)
        with closing(open_journal(self.folder)) as journal:
            renewal = Renewal(self.folder, WHO)
            clock, chance = lambda: self.now, lambda: 0.5
            talk = Talk(journal, self.pauses, renewal, self.line, PACE, clock, chance)
            if journal.backlog() is not None:
                self.x = talk.until_rest(self.x)
        pause = self.pauses.current(int(self.now))
        assert self.x.state is not State.PAUSED or pause is None or pause.is_told

    @property
    def pauses(self) -> Pauses:
        """The pause on disk."""
        return Pauses(self.folder)

    def restart(self) -> None:
        """All that was not on disk is gone."""
        self.x = Exchange()
