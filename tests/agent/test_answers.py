"""What answers mean, by example; that every answer has a meaning is a property test."""

import msgspec
import pytest

from agent.answers import ENROL_AGAIN, Answer, classify, enrolled, unheard
from agent.errors import ExchangeError
from agent.exchange_table import Outcome, State
from agent.wire import Ack, Enrolled, Refusal, Renewed


def refusal(status: int, *, wires: tuple[int, ...] = (1,), error: str = "no") -> Answer:
    """A refusal in the server's own words."""
    return Answer(status, msgspec.json.encode(Refusal(error, "do this", wires=wires)))


@pytest.mark.parametrize(
    ("state", "status", "meaning"),
    [
        (State.CHECK_IN, 400, Outcome.UNREADABLE),
        (State.CHECK_IN, 401, Outcome.UNAUTHORISED),
        (State.CHECK_IN, 403, Outcome.REFUSED),
        (State.CHECK_IN, 409, Outcome.REFUSED),
        (State.CHECK_IN, 413, Outcome.TOO_LARGE),
        (State.CHECK_IN, 422, Outcome.UNREADABLE),
        (State.CHECK_IN, 429, Outcome.BUSY),
        (State.CHECK_IN, 503, Outcome.BUSY),
        (State.CHECK_IN, 500, Outcome.UNREACHED),
        (State.UPLOAD, 409, Outcome.UNREADABLE),
        (State.ASK, 404, Outcome.REFUSED),
        (State.RENEW, 401, Outcome.UNAUTHORISED),
        (State.REGAIN, 404, Outcome.REFUSED),
        (State.REGAIN, 503, Outcome.BUSY),
    ],
)
def test_each_refusal_of_the_protocol_has_its_meaning(
    state: State, status: int, meaning: Outcome
) -> None:
    """The server's words are passed on with it, but where only this command knows what helps."""
    told = classify(state, refusal(status), wire=1)
    advice = ENROL_AGAIN if status == 401 else "do this"
    assert (told.outcome, told.reason, told.advice) == (meaning, "no", advice)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(204), ""),
        (refusal(401), ""),
        (refusal(503), "no"),
        (refusal(405), "no"),
        (Answer(401), "the server answered 401"),
        (Answer(502, b"<html>"), "the server answered 502"),
        (Answer(200, b"{}"), "the answer was not the server's own"),
    ],
)
def test_a_goodbye_is_heard_by_the_server_itself_only(answer: Answer, reason: str) -> None:
    """To be unknown there already is as good; a proxy's word is not."""
    assert unheard(answer) == reason


def test_a_name_that_is_in_use_is_told_with_the_option_that_helps() -> None:
    """The server cannot know what this command calls it."""
    with pytest.raises(ExchangeError) as refused:
        enrolled(refusal(409))
    assert "--label" in refused.value.advice


def test_an_ack_that_asks_for_a_new_epoch_is_no_acknowledgement() -> None:
    """Nothing of what was sent counts as told."""
    body = msgspec.json.encode(Ack("match", "t", 60, resync=True))
    assert classify(State.CHECK_IN, Answer(200, body), wire=1).outcome is Outcome.RESYNC


def test_an_ack_of_a_newer_server_is_still_an_ack() -> None:
    """Fields that the agent does not know are passed over."""
    body = b'{"state":"match","tag":"t","next_s":60,"news":{"x":1}}'
    assert classify(State.CHECK_IN, Answer(200, body), wire=1).outcome is Outcome.DONE


def test_the_newest_common_wire_version_is_chosen() -> None:
    """Of those that both sides name."""
    told = classify(State.CHECK_IN, refusal(422, wires=(2, 1)), wire=3, spoken=(3, 2, 1))
    assert (told.outcome, told.wire) == (Outcome.OTHER_WIRE, 2)


def test_no_common_wire_version_names_both_sides() -> None:
    """The reason says who speaks what, the advice who should be updated."""
    told = classify(State.CHECK_IN, refusal(422, wires=(9, 8)), wire=1)
    assert told.outcome is Outcome.NO_WIRE
    assert told.reason == "the server reads wire versions 9, 8; this agent speaks 1"
    assert "update" in told.advice


def test_a_servers_words_are_one_short_line() -> None:
    """They go to a terminal and to a log."""
    told = classify(State.CHECK_IN, refusal(403, error="a\x1b[2J\nb" + "c" * 500), wire=1)
    assert told.reason.isprintable()
    assert len(told.reason) == 200


def test_an_enrolment_is_read() -> None:
    """The machine's id and token come out of the answer."""
    body = msgspec.json.encode(Enrolled("m", "t", "g"))
    assert enrolled(Answer(201, body)) == Enrolled("m", "t", "g")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusal(403), "no"),
        (refusal(409, error="the label is in use"), "the label is in use"),
        (Answer(500, b"oops"), "it answered 500"),
        (Answer(200, b"<p>hotel</p>"), "not the server's own"),
    ],
)
def test_a_refused_enrolment_says_why(answer: Answer, said: str) -> None:
    """And what to do about it."""
    with pytest.raises(ExchangeError, match=said) as caught:
        enrolled(answer)
    assert caught.value.advice
    assert caught.value.status == answer.status


@pytest.mark.parametrize("state", [State.RENEW, State.REGAIN])
def test_a_next_token_is_a_servers_own_word(state: State) -> None:
    """And a page of the network's is none; no text of the meaning shows it."""
    body = msgspec.json.encode(Renewed("tok-5ecret"))
    told = classify(state, Answer(201, body), wire=1)
    assert (told.outcome, told.token) == (Outcome.DONE, "tok-5ecret")
    assert "5ecret" not in repr(told)
    for page in (b"", b"{}", b"<p>Welcome</p>", b'{"token":""}'):
        assert classify(state, Answer(201, page), wire=1).outcome is Outcome.UNREACHED
