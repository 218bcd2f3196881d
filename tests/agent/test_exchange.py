"""The exchange's table, by example."""

from dataclasses import replace

import pytest

from agent import exchange
from agent.exchange import Answered, Exchange, IllegalTransitionError, Pace
from agent.exchange_table import EVENTS, TRANSITIONS, Effect, Event, Outcome, State
from agent.wire import Ack

PACE = Pace(min_s=10, max_s=600, base_s=5, cap_s=80, spread_s=30)
NOW = 1_000_000.0
RENEWED = Answered(Outcome.DONE, token="tok-2")  # noqa: S106 - nobody's


def ack(*, next_s: int = 60, tag: str = "new", wanted: tuple[str, ...] = ()) -> Answered:
    """A good answer to a check-in."""
    return Answered(Outcome.DONE, ack=Ack(state="match", tag=tag, next_s=next_s, wanted=wanted))


def after(x: Exchange, answer: Answered, chance: float = 0.0) -> Exchange:
    """The exchange after an answer at `NOW`."""
    return exchange.answered(x, answer, PACE, now=NOW, chance=chance)[0]


def test_a_known_verdict_is_not_asked_for_again() -> None:
    """An ack with the tag of the last view leads to rest."""
    x = after(Exchange(tag="same"), ack(tag="same"))
    assert (x.state, x.at) == (State.REST, NOW + 60)


def test_a_new_tag_leads_to_the_question() -> None:
    """An ack with another tag is followed by asking for the standing."""
    assert after(Exchange(tag="old"), ack(tag="new")).state is State.ASK


def test_wanted_profiles_go_up_one_by_one_and_then_the_verdict_is_asked() -> None:
    """Uploads come first, and make the known verdict stale."""
    x = after(Exchange(tag="same"), ack(tag="same", wanted=("d1", "d2")))
    assert (x.state, x.wanted) == (State.UPLOAD, ("d1", "d2"))
    x = after(x, Answered(Outcome.DONE))
    assert (x.state, x.wanted) == (State.UPLOAD, ("d2",))
    x = after(x, Answered(Outcome.DONE))
    assert x.state is State.ASK
    x = after(x, Answered(Outcome.DONE, tag="judged"))
    assert (x.state, x.tag) == (State.REST, "judged")


def test_the_hourly_limit_on_profiles_does_not_stop_check_ins() -> None:
    """A refused upload waits for its own time while the machine goes on checking in."""
    x = replace(Exchange(tag="same", ack_tag="same"), state=State.UPLOAD, wanted=("d1",))
    x = after(replace(x, next_s=60), Answered(Outcome.BUSY, retry_after_s=3000))
    assert (x.state, x.at, x.wanted) == (State.REST, NOW + 60, ("d1",))
    x = exchange.happened(x, Event.DUE, PACE, now=NOW + 60, chance=0)
    x, _ = exchange.answered(x, ack(tag="same"), PACE, now=NOW + 60, chance=0)
    assert x.state is State.REST
    x = exchange.happened(x, Event.DUE, PACE, now=NOW + 3000, chance=0)
    x, _ = exchange.answered(x, ack(tag="same"), PACE, now=NOW + 3000, chance=0)
    assert x.state is State.UPLOAD


def test_back_off_doubles_to_a_cap_and_jitter_comes_after_it() -> None:
    """Waits are 5, 10, 20, 40, 80, 80, and up to half as much again by chance."""
    for chance, factor in ((0.0, 1.0), (1.0, 1.5)):
        x = Exchange()
        waits = []
        for _ in range(6):
            x = after(replace(x, state=State.CHECK_IN), Answered(Outcome.UNREACHED), chance)
            waits.append(x.at - NOW)
        assert waits == [wait * factor for wait in (5, 10, 20, 40, 80, 80)]


def test_retry_after_is_obeyed_beyond_the_cap() -> None:
    """A server that asks for longer gets it, up to a day."""
    assert after(Exchange(), Answered(Outcome.BUSY, retry_after_s=500)).at == NOW + 500
    assert after(Exchange(), Answered(Outcome.BUSY, retry_after_s=1e9)).at == NOW + 86_400


def test_a_change_does_not_shorten_a_back_off() -> None:
    """A server in trouble is not asked sooner because a file changed."""
    waiting = after(Exchange(), Answered(Outcome.BUSY, retry_after_s=500))
    assert exchange.happened(waiting, Event.CHANGED, PACE, now=NOW, chance=0) == waiting


def test_the_phase_is_drawn_anew_after_an_outage() -> None:
    """The first rest after failures is a random part of what the server said."""
    back = Exchange(tag="same", failures=3)
    assert after(back, ack(tag="same"), 0.0).at == NOW + 30
    assert after(back, ack(tag="same"), 1.0).at == NOW + 60
    assert after(replace(back, failures=0), ack(tag="same"), 0.0).at == NOW + 60


@pytest.mark.parametrize(("said", "kept"), [(0, 10), (-5, 10), (60, 60), (99_999, 600)])
def test_the_servers_interval_is_bounded_by_the_settings(said: int, kept: int) -> None:
    """No answer makes a laptop busy, or silent."""
    assert after(Exchange(tag="t"), ack(tag="t", next_s=said)).at == NOW + kept


def test_waking_spreads_what_is_due() -> None:
    """What came due in sleep waits a random part of the spread; what is later stays."""
    due = Exchange(state=State.REST, at=NOW - 500)
    assert exchange.happened(due, Event.WOKE, PACE, now=NOW, chance=0.5).at == NOW + 15
    later = replace(due, at=NOW + 31)
    assert exchange.happened(later, Event.WOKE, PACE, now=NOW, chance=0.5) == later


def test_a_resync_draws_a_new_epoch_and_checks_in_again() -> None:
    """It happens at once, but not for ever."""
    x = Exchange()
    for _ in range(exchange.RESYNCS_MAX):
        x, effect = exchange.answered(x, Answered(Outcome.RESYNC), PACE, now=NOW, chance=0)
        assert (x.state, effect) == (State.CHECK_IN, Effect.NEW_EPOCH)
    assert after(x, Answered(Outcome.RESYNC)).state is State.BACK_OFF


def test_another_wire_version_is_spoken_from_then_on() -> None:
    """What was composed in the old one is told anew."""
    x, effect = exchange.answered(
        Exchange(wire=2), Answered(Outcome.OTHER_WIRE, wire=1), PACE, now=NOW, chance=0
    )
    assert (x.state, x.wire, effect) == (State.CHECK_IN, 1, Effect.NEW_EPOCH)


def test_no_common_wire_version_stops_with_a_reason_and_asks_again_rarely() -> None:
    """The server may be updated, so stopping is not for good."""
    x = after(Exchange(), Answered(Outcome.NO_WIRE, reason="reads 3", advice="update"))
    assert (x.state, x.at, x.reason, x.advice) == (State.STOPPED, NOW + 3600, "reads 3", "update")
    again = exchange.happened(x, Event.DUE, PACE, now=NOW + 3600, chance=0)
    assert again.state is State.CHECK_IN


def test_a_refused_token_is_tried_again_rarely_and_a_new_one_at_once() -> None:
    """A server that was restored from a backup may know the old token again."""
    ended = Answered(Outcome.UNAUTHORISED, reason="no such token", advice="enrol")
    x = after(Exchange(tag="old"), ended)
    assert x.state is State.REGAIN
    x = after(x, Answered(Outcome.REFUSED, reason="there is no such call"))
    assert (x.state, x.at) == (State.UNENROLLED, NOW + 3600)
    assert (x.reason, x.advice) == ("no such token", "enrol")
    assert exchange.happened(x, Event.CHANGED, PACE, now=NOW, chance=0) == x
    assert exchange.happened(x, Event.DUE, PACE, now=x.at, chance=0).state is State.CHECK_IN
    x = exchange.happened(x, Event.ENROLLED, PACE, now=NOW, chance=0)
    assert (x.state, x.tag) == (State.CHECK_IN, None)


@pytest.mark.parametrize("state", [State.CHECK_IN, State.UPLOAD, State.ASK])
def test_a_token_that_ended_is_had_again_once(state: State) -> None:
    """Whatever was asked, a check-in follows; one more refusal is the end, for an hour."""
    x = after(Exchange(state=state, wanted=("d1",)), Answered(Outcome.UNAUTHORISED))
    assert x.state is State.REGAIN
    x, effect = exchange.answered(x, RENEWED, PACE, now=NOW, chance=0)
    assert (x.state, effect) == (State.CHECK_IN, Effect.KEEP_TOKEN)
    assert after(x, Answered(Outcome.UNAUTHORISED)).state is State.UNENROLLED
    again = after(replace(x, tag="t"), ack(tag="t"))
    again = after(replace(again, state=State.CHECK_IN), Answered(Outcome.UNAUTHORISED))
    assert again.state is State.REGAIN


def test_an_announcement_that_was_cut_short_goes_on_as_one() -> None:
    """A pause is told as a pause with the next token too."""
    x = after(Exchange(state=State.ANNOUNCE), Answered(Outcome.UNAUTHORISED))
    assert after(x, Answered(Outcome.DONE)).state is State.ANNOUNCE


def test_an_old_token_is_renewed_after_all_else() -> None:
    """When profiles and the question are through; once for an ack, whatever the answer is."""
    said = Answered(Outcome.DONE, ack=Ack("match", "new", 60, ("d1",), rotate=True))
    x = after(Exchange(tag="old"), said)
    assert x.state is State.UPLOAD
    x = after(x, Answered(Outcome.DONE))
    assert x.state is State.ASK
    x = after(x, Answered(Outcome.DONE, tag="new"))
    assert x.state is State.RENEW
    y, effect = exchange.answered(x, RENEWED, PACE, now=NOW, chance=0)
    assert (y.state, y.at, effect) == (State.REST, NOW + 60, Effect.KEEP_TOKEN)
    assert after(x, Answered(Outcome.REFUSED, reason="no")).state is State.REST
    assert after(x, Answered(Outcome.UNREACHED)).state is State.BACK_OFF


def test_a_good_answer_clears_the_reason() -> None:
    """What is told to people is of now."""
    x = after(Exchange(), Answered(Outcome.UNREACHED, reason="no network"))
    x = exchange.happened(x, Event.DUE, PACE, now=NOW, chance=0)
    assert after(x, ack()).reason == ""


def test_illegal_moves_raise_and_change_nothing() -> None:
    """Every pair outside the tables is refused."""
    for state in State:
        x = Exchange(state=state)
        for outcome in Outcome:
            if (state, outcome) not in TRANSITIONS:
                with pytest.raises(IllegalTransitionError):
                    after(x, Answered(outcome))
        for event in Event:
            if (state, event) not in EVENTS:
                with pytest.raises(IllegalTransitionError):
                    exchange.happened(x, event, PACE, now=NOW, chance=0)
        assert x == Exchange(state=state)


def test_each_state_either_sends_or_waits() -> None:
    """A state knows answers or events, never both and never neither."""
    sending = {state for state, _ in TRANSITIONS}
    waiting = {state for state, _ in EVENTS}
    assert sending | waiting == set(State)
    assert not sending & waiting
    assert {(s, e) for s in waiting for e in Event} == set(EVENTS)


def test_a_pause_is_told_once_and_then_nothing_is_said() -> None:
    """Neither a wanted profile nor a new tag is followed while it lasts."""
    x = exchange.happened(Exchange(state=State.REST), Event.PAUSED, PACE, now=NOW, chance=0)
    assert x.state is State.ANNOUNCE
    x, effect = exchange.answered(
        replace(x, failures=2), ack(tag="new", wanted=("d1",)), PACE, now=NOW, chance=0
    )
    assert (x.state, x.failures, effect) == (State.PAUSED, 0, Effect.ACKNOWLEDGE)
    for event in (Event.DUE, Event.CHANGED, Event.WOKE, Event.ENROLLED):
        assert exchange.happened(x, event, PACE, now=NOW, chance=0).state is State.PAUSED
    x = exchange.happened(x, Event.RESUMED, PACE, now=NOW, chance=0)
    assert x.state is State.CHECK_IN


@pytest.mark.parametrize("state", [State.REST, State.BACK_OFF, State.STOPPED, State.UNENROLLED])
def test_a_pause_is_tried_to_be_told_at_once_and_then_waits_like_all_else(state: State) -> None:
    """A person asked, once; what follows keeps the distance that the server asked for."""
    waiting = Exchange(state=state, at=NOW + 900, failures=3)
    x = exchange.happened(waiting, Event.PAUSED, PACE, now=NOW, chance=0)
    x = after(x, Answered(Outcome.UNREACHED, reason="no network"))
    assert (x.state, x.at, x.failures) == (State.BACK_OFF, NOW + 40, 4)


def test_the_end_of_a_pause_does_not_shorten_a_back_off() -> None:
    """The next check-in tells it."""
    waiting = after(Exchange(), Answered(Outcome.BUSY, retry_after_s=500))
    assert exchange.happened(waiting, Event.RESUMED, PACE, now=NOW, chance=0) == waiting


def test_a_resync_repeats_the_telling_in_a_new_epoch() -> None:
    """It stays a telling of the pause, and ends after a few."""
    x = Exchange(state=State.ANNOUNCE)
    for _ in range(exchange.RESYNCS_MAX):
        x, effect = exchange.answered(x, Answered(Outcome.RESYNC), PACE, now=NOW, chance=0)
        assert (x.state, effect) == (State.ANNOUNCE, Effect.NEW_EPOCH)
    assert after(x, Answered(Outcome.RESYNC)).state is State.BACK_OFF
