"""The agent's side of the protocol, with no socket, clock or disk in sight.

An `Exchange` is a value; its state says what to do: send one of four requests, or wait.
Each answer is first classed (`agent.answers`) and then looked up in the table
(`agent.exchange_table`): the next state, and what the journal has to do. `now` (epoch
seconds) and `chance` (from 0 to 1, fresh each time) are arguments.

Who draws random delays, and why: laptops that woke, restarted or lost their server
together must not come back together. So jitter is added after the cap (before it, all
would wait exactly the cap), the first rest after an outage has a new phase, and waking
and starting wait a random part of `Pace.spread_s`.
"""

from dataclasses import dataclass, field, replace

from agent import digest
from agent.exchange_table import EVENTS, TRANSITIONS, Effect, Event, Outcome, State
from agent.wire import WIRE_VERSIONS, Ack, Activity, Change, CheckIn


class IllegalTransitionError(RuntimeError):
    """The caller's bug: this cannot happen in this state. Nothing was changed."""


@dataclass(frozen=True)
class Pace:
    """How fast to go; all in seconds, from the settings.

    Attributes:
        min_s: Shortest rest, whatever the server says.
        max_s: Longest rest, whatever the server says.
        base_s: First back-off.
        cap_s: Longest back-off, before jitter.
        spread_s: Longest random delay after start and wake.
    """

    min_s: float = 15.0
    max_s: float = 3_600.0
    base_s: float = 5.0
    cap_s: float = 900.0
    spread_s: float = 30.0


RESYNCS_MAX = 3
"""A server that asks for a new epoch this often in a row is backed off from."""

STOPPED_S = 3_600.0
"""Seconds until a server is asked again that shares no wire version or knows no such token."""


RETRY_AFTER_MAX_S = 86_400.0
"""Longest wait that a server can ask for, in seconds."""


@dataclass(frozen=True)
class Answered:
    """One answer, classed.

    Attributes:
        outcome: What it means.
        ack: Of a check-in that is `Outcome.DONE`.
        tag: Of the view, where a question is `Outcome.DONE`.
        token: The machine's next one, where a renewal is `Outcome.DONE`.
        wire: The newest version that both speak, where it is another one.
        retry_after_s: What the server asked to wait.
        reason: One line for people, where it did not go well.
        advice: What to do about it.
    """

    outcome: Outcome
    ack: Ack | None = None
    tag: str | None = None
    token: str | None = field(default=None, repr=False)
    wire: int | None = None
    retry_after_s: float = 0.0
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Backlog:
    """What the next new check-in has to tell; kept by the journal.

    Attributes:
        epoch: Of the journal.
        seq: Of the next new check-in.
        present: Digest of the present profile.
        changes: Earlier profiles not yet acknowledged, oldest first.
        dropped: Changes and counts of activity let go and not yet told.
        upto: The last change that this backlog covers; for the journal alone.
        activity: Counts of activity not yet told, the oldest day first.
    """

    epoch: str
    seq: int
    present: str
    changes: tuple[Change, ...] = ()
    dropped: int = 0
    upto: int = 0
    activity: tuple[Activity, ...] = ()


@dataclass(frozen=True)
class Exchange:
    """Where the conversation with the server stands.

    Attributes:
        state: What to do.
        at: When it is due, where it is a wait; epoch seconds.
        wire: The version spoken.
        failures: Requests in a row without a usable answer.
        resyncs: New epochs in a row.
        next_s: How long to rest, by the last ack.
        wanted: Digests that the server asked for and has not got; the first goes next.
        tag: Of the last view that is known.
        ack_tag: Of the last ack.
        upload_at: No profile is offered before this.
        uploaded: A profile went up since the last view, so the verdict is new.
        rotate: By the last ack, the token is old; until the next one was asked for.
        regained: Another token was had after one that had ended, and no ack came since.
        cut_short: What was being said when the token turned out to have ended.
        reason: Why things are not well; empty when they are.
        advice: What to do about it.
    """

    state: State = State.CHECK_IN
    at: float = 0.0
    wire: int = WIRE_VERSIONS[0]
    failures: int = 0
    resyncs: int = 0
    next_s: float = 0.0
    wanted: tuple[str, ...] = ()
    tag: str | None = None
    ack_tag: str | None = None
    upload_at: float = 0.0
    uploaded: bool = False
    rotate: bool = False
    regained: bool = False
    cut_short: State = State.CHECK_IN
    reason: str = ""
    advice: str = ""


def check_in(backlog: Backlog, *, wire: int, agent: str, clock: int, paused_s: int = 0) -> bytes:
    """A new check-in's canonical bytes.

    Args:
        backlog: What it tells.
        wire: The version to speak.
        agent: The agent's version.
        clock: The agent's clock, epoch seconds.
        paused_s: Seconds for which the laptop's user asks to be left alone.
    """
    return digest.canonical(
        CheckIn(
            wire=wire,
            profile=backlog.present,
            agent=agent,
            epoch=backlog.epoch,
            seq=backlog.seq,
            clock=clock,
            changes=backlog.changes,
            dropped=backlog.dropped,
            paused_s=paused_s,
            activity=backlog.activity,
        )
    )


def happened(x: Exchange, event: Event, pace: Pace, *, now: float, chance: float) -> Exchange:
    """What the exchange is after something happened on the laptop.

    Raises:
        IllegalTransitionError: A request is under way; nothing was changed.
    """
    to = EVENTS.get((x.state, event))
    if to is None:
        raise IllegalTransitionError(f"{event.value} while {x.state.value}")
    if event is Event.ENROLLED:
        return Exchange(state=to, wire=x.wire)
    if event is Event.WOKE and x.at < now + pace.spread_s:
        return replace(x, at=now + chance * pace.spread_s)
    return replace(x, state=to)


def answered(
    x: Exchange, answer: Answered, pace: Pace, *, now: float, chance: float
) -> tuple[Exchange, Effect]:
    """What an answer leads to, and what the journal has to do about it.

    Raises:
        IllegalTransitionError: Nothing was asked in this state; nothing was changed.
    """
    step = TRANSITIONS.get((x.state, answer.outcome))
    if step is None:
        raise IllegalTransitionError(f"{answer.outcome.value} while {x.state.value}")
    told = replace(x, reason=answer.reason, advice=answer.advice)
    if step.to is State.BACK_OFF:
        return _back_off(told, answer, pace, now, chance), step.effect
    if State.REGAIN in {x.state, step.to}:
        return _regained(told, x, step.to, now, chance), step.effect
    if step.to in {State.CHECK_IN, State.ANNOUNCE}:
        return _again(replace(told, state=step.to), answer, pace, now, chance), step.effect
    if step.to is State.PAUSED:
        return replace(told, state=step.to, failures=0, resyncs=0), step.effect
    if step.to is State.STOPPED:
        return _stopped(told, step.to, now, chance), step.effect
    return _onward(_learned(told, x, answer, pace, now, chance), now), step.effect


def _again(x: Exchange, answer: Answered, pace: Pace, now: float, chance: float) -> Exchange:
    y = replace(x, resyncs=x.resyncs + 1, wire=answer.wire or x.wire)
    if y.resyncs > RESYNCS_MAX:
        return _back_off(y, answer, pace, now, chance)
    return y


def _regained(x: Exchange, before: Exchange, to: State, now: float, chance: float) -> Exchange:
    if to is State.REGAIN and not x.regained:
        is_pause = before.state is State.ANNOUNCE
        return replace(x, state=to, cut_short=before.state if is_pause else State.CHECK_IN)
    if to is State.CHECK_IN:
        return replace(x, state=x.cut_short, regained=True)
    # What the check-in was told says more than why there is no other token.
    said = before if before.state is State.REGAIN else x
    gone = replace(x, reason=said.reason, advice=said.advice, regained=False)
    return _stopped(gone, State.UNENROLLED, now, chance)


def _stopped(x: Exchange, to: State, now: float, chance: float) -> Exchange:
    return replace(x, state=to, at=now + STOPPED_S * (1 + chance / 2))


def _back_off(x: Exchange, answer: Answered, pace: Pace, now: float, chance: float) -> Exchange:
    # 2**30 times any base is beyond any cap.
    doubled = pace.base_s * 2 ** min(x.failures, 30)
    wait = max(min(pace.cap_s, doubled), min(answer.retry_after_s, RETRY_AFTER_MAX_S))
    return replace(
        x, state=State.BACK_OFF, at=now + wait * (1 + chance / 2), failures=x.failures + 1
    )


def _learned(
    x: Exchange, before: Exchange, answer: Answered, pace: Pace, now: float, chance: float
) -> Exchange:
    if before.state is State.CHECK_IN and answer.ack is not None:
        return _acknowledged(x, answer.ack, pace, chance)
    if before.state is State.UPLOAD and answer.outcome is Outcome.BUSY:
        return replace(x, upload_at=now + max(answer.retry_after_s, pace.base_s))
    if before.state is State.UPLOAD:
        went = answer.outcome is Outcome.DONE
        return replace(x, wanted=x.wanted[1:], uploaded=x.uploaded or went)
    if before.state is State.RENEW:
        return replace(x, rotate=False, reason="", advice="")
    # The question was answered, or refused for good: it is not asked again until the
    # next ack brings another tag.
    return replace(x, tag=answer.tag or x.ack_tag, ack_tag=answer.tag or x.ack_tag, uploaded=False)


def _acknowledged(x: Exchange, ack: Ack, pace: Pace, chance: float) -> Exchange:
    rest = min(max(ack.next_s, pace.min_s), pace.max_s)
    # After an outage all come back in one wave; the server's spread then starts from it.
    phase = (1 + chance) / 2 if x.failures else 1.0
    return replace(
        x,
        failures=0,
        resyncs=0,
        next_s=rest * phase,
        ack_tag=ack.tag,
        rotate=bool(ack.rotate),
        regained=False,
        wanted=tuple(dict.fromkeys((*ack.wanted, *x.wanted))),
    )


def _onward(x: Exchange, now: float) -> Exchange:
    if x.wanted and now >= x.upload_at:
        return replace(x, state=State.UPLOAD)
    if x.uploaded or x.ack_tag != x.tag:
        return replace(x, state=State.ASK)
    if x.rotate:
        return replace(x, state=State.RENEW)
    return replace(x, state=State.REST, at=now + x.next_s)
