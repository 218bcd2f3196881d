"""The exchange and the journal never lose and never double a change.

A model server keeps what it accepted; between it and the real table, journal and
conversation lies a line that loses requests, loses answers, and answers wrongly. The agent
is killed and restarted, paused and resumed at will. Once the line is good again, the server
has the changes in the order in which they were seen, each once, and knows of no pause.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import digest, exchange
from agent.answers import Answer, classify
from agent.errors import ExchangeError
from agent.exchange import Answered, Exchange, Pace
from agent.exchange_table import EVENTS, TRANSITIONS, Effect, Event, Outcome, State
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.talk import Talk
from agent.wire import CHANGES_MAX, Ack, CheckIn, MachineView, Refusal

PACE = Pace()
PAUSE_S = 7_200
FAULTS = ("request lost", "answer lost", "busy", "resync", "unreadable", "wrong page")


class Line:
    """A server that keeps the protocol, behind a line that does not."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.profiles: set[str] = set()
        self.last: dict[str, int] = {}
        self.faults: list[str] = []
        self.paused_s = 0

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request, with the next fault that is due."""
        fault = self.faults.pop() if self.faults else ""
        if fault == "busy":
            return Answer(429, b"", retry_after_s=3)
        if fault == "wrong page":
            return Answer(200, b"<p>Welcome to the hotel</p>")
        if fault == "request lost":
            raise _lost()
        answer = self._answer(path, body or b"", fault)
        if fault == "answer lost":
            raise _lost()
        assert method in {"GET", "POST", "PUT"}
        return answer

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
        if sent.seq < known or (fault == "resync" and sent.seq > known):
            return self._ack((), resync=True)
        if sent.seq > known:
            self.last[sent.epoch] = sent.seq
            self.paused_s = sent.paused_s
            for each in (*told, sent.profile):
                if not self.seen or self.seen[-1] != each:
                    self.seen.append(each)
        missing = dict.fromkeys(each for each in (*told, sent.profile))
        return self._ack(tuple(each for each in missing if each not in self.profiles)[:16])

    def _ack(self, wanted: tuple[str, ...], *, resync: bool = False) -> Answer:
        tag = f"tag{len(self.seen)}"
        ack = Ack(state="match", tag=tag, next_s=60, wanted=wanted, resync=resync)
        return Answer(200, msgspec.json.encode(ack))


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
        journal = open_journal(self.folder)
        talk = Talk(journal, self.pauses, self.line, PACE, lambda: self.now, lambda: 0.5)
        if journal.backlog() is not None:
            self.x = talk.until_rest(self.x)
        journal.close()
        pause = self.pauses.current(int(self.now))
        assert self.x.state is not State.PAUSED or pause is None or pause.is_told

    @property
    def pauses(self) -> Pauses:
        """The pause on disk."""
        return Pauses(self.folder)

    def restart(self) -> None:
        """All that was not on disk is gone."""
        self.x = Exchange()


STEPS = st.lists(
    st.one_of(
        st.integers(0, 3),
        st.lists(st.sampled_from(FAULTS), max_size=4).map(tuple),
        st.sampled_from(["restart", "pause", "resume"]),
    ),
    max_size=CHANGES_MAX,
)


@given(STEPS)
@settings(deadline=None, max_examples=60)
def test_every_change_arrives_once_and_in_order(steps: list[int | tuple[str, ...] | str]) -> None:
    """Lost, repeated and wrong answers, and restarts, change nothing of what arrives."""
    line = Line()
    with tempfile.TemporaryDirectory() as folder:
        laptop = Laptop(Path(folder), line)
        laptop.change(0)
        for step in steps:
            if isinstance(step, int):
                laptop.change(step)
            elif isinstance(step, tuple):
                line.faults = list(step)
                laptop.converse()
            elif step == "restart":
                laptop.restart()
            elif step == "pause":
                laptop.pauses.begin(int(laptop.now), PAUSE_S)
            else:
                laptop.pauses.end()
        line.faults = []
        laptop.pauses.end()
        for _ in range(3):
            laptop.converse()
        assert line.seen == laptop.seen
        assert set(laptop.seen) <= line.profiles
        assert laptop.x.state is State.REST
        assert line.paused_s == 0


SENDING = sorted({state for state, _ in TRANSITIONS}, key=lambda state: state.value)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda error, wires: msgspec.json.encode(Refusal(error=error, advice="a", wires=wires)),
        st.text(max_size=300),
        st.lists(st.integers(-3, 9), max_size=3).map(tuple),
    ),
    st.builds(
        lambda next_s, resync: msgspec.json.encode(Ack("drift", "t", next_s, resync=resync)),
        st.integers(-(2**40), 2**40),
        st.booleans(),
    ),
)


@given(
    state=st.sampled_from(SENDING),
    status=st.one_of(st.integers(100, 599), st.sampled_from([200, 201, 401, 409, 413, 422, 429])),
    body=BODIES,
    retry_after_s=st.floats(0, 1e12),
    chance=st.floats(0, 1),
)
def test_every_answer_leads_somewhere_within_bounds(
    state: State, status: int, body: bytes, retry_after_s: float, chance: float
) -> None:
    """Any status with any body has one meaning, and no answer silences a laptop for good."""
    x = Exchange(state=state, wanted=("d1",) if state is State.UPLOAD else ())
    answer = classify(state, Answer(status, body, retry_after_s), wire=1)
    y, effect = exchange.answered(x, answer, PACE, now=0, chance=chance)
    assert isinstance(effect, Effect)
    assert 0 <= y.at <= 1.5 * exchange.RETRY_AFTER_MAX_S
    assert "\n" not in answer.reason


@given(
    state=st.sampled_from(SENDING),
    status=st.integers(100, 599),
    page=st.sampled_from([b"", b"<html>sign in</html>", b"{}", b"[]", b"null"]),
)
def test_a_strangers_answer_has_no_consequence(state: State, status: int, page: bytes) -> None:
    """A page on the way neither acknowledges, nor signs off, nor lets bytes go."""
    meaning = classify(state, Answer(status, page), wire=1).outcome
    harmless = {Outcome.UNREACHED, Outcome.BUSY}
    if status == 413:
        harmless.add(Outcome.TOO_LARGE)
    if state is State.UPLOAD and status == 201:
        harmless.add(Outcome.DONE)
    assert meaning in harmless


def test_a_wrong_answer_is_never_taken_for_an_ack() -> None:
    """An acknowledgement is an ack and nothing else."""
    for body in (b"", b"{}", b'{"state":"match"}', b'"ok"'):
        assert classify(State.CHECK_IN, Answer(200, body), wire=1) != Answered(Outcome.DONE)
