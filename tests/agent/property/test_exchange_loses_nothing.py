"""The exchange and the journal never lose and never double a change.

A model server keeps what it accepted; between it and the real table, journal and
conversation lies a line that loses requests, loses answers, and answers wrongly. The agent
is killed and restarted, paused and resumed at will. Once the line is good again, the server
has the changes in the order in which they were seen, each once, and knows of no pause.
"""

import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import exchange
from agent.answers import Answer, classify
from agent.exchange import Answered, Exchange
from agent.exchange_table import TRANSITIONS, Effect, Outcome, State
from agent.wire import CHANGES_MAX, Ack, Refusal
from tests.agent.line import FAULTS, PACE, Laptop, Line

PAUSE_S = 7_200


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
