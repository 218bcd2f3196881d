"""What the server's answers mean, before the exchange's table is asked. Pure.

Total: any status with any body has one meaning. A body that is not ours (a proxy's page,
a sign-in page of a hotel's network) is never taken for an answer of the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import msgspec

from agent.errors import ExchangeError
from agent.exchange import Answered
from agent.exchange_table import Outcome, State
from agent.wire import WIRE_VERSIONS, Ack, Enrolled, MachineView, Refusal, Renewed

REASON_MAX = 200
"""Most characters of a server's own words that are shown or logged."""

ENROL_AGAIN = "run: parity-agent enrol --again --server https://..."
"""What helps a machine whose token does not hold any more."""

# The server cannot know what this command calls its options.
_LABEL_TAKEN = (
    "choose another name with --label NAME; if this laptop had that one before, ask your operator"
    " for a secret that replaces it"
)


@dataclass(frozen=True)
class Answer:
    """What came back, unread.

    Attributes:
        status: The HTTP status.
        body: At most the settings' `answer_max_bytes`.
        retry_after_s: Seconds that the server asked to wait; 0 where it did not.
    """

    status: int
    body: bytes = b""
    retry_after_s: float = 0.0


_GOOD = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)

# A proxy on the way has limits of its own: these mean the same without our body.
_ANYONES: Mapping[int, Outcome] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Outcome.TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS: Outcome.BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: Outcome.BUSY,
}

# These have consequences (a machine falls silent, bytes are let go), so a body that is
# not the server's own does not bring them about.
_SERVERS: Mapping[int, Outcome] = {
    HTTPStatus.BAD_REQUEST: Outcome.UNREADABLE,
    HTTPStatus.UNAUTHORIZED: Outcome.UNAUTHORISED,
    HTTPStatus.UNPROCESSABLE_ENTITY: Outcome.UNREADABLE,
}

_UNUSABLE = Answered(
    Outcome.UNREACHED,
    reason="the answer was not the server's own",
    advice="check the server's address, and whether this network asks you to sign in",
)


def classify(
    state: State, answer: Answer, *, wire: int, spoken: tuple[int, ...] = WIRE_VERSIONS
) -> Answered:
    """The meaning of an answer to the request that a state sends.

    Args:
        state: One that sends.
        answer: What came back.
        wire: The version that was spoken.
        spoken: The versions that this agent speaks.
    """
    if answer.status in _GOOD:
        return _good(state, answer)
    refusal = _refusal(answer.body)
    told = Answered(
        _refused(state, answer.status, ours=refusal is not None),
        retry_after_s=answer.retry_after_s,
        reason=_line(refusal.error) if refusal else f"the server answered {answer.status}",
        advice=_line(refusal.advice) if refusal else "wait, or ask your operator",
    )
    if told.outcome is Outcome.UNAUTHORISED:
        return replace(told, advice=ENROL_AGAIN)
    if told.outcome is Outcome.UNREADABLE and refusal and wire not in refusal.wires:
        return _other_wire(told, refusal, spoken)
    return told


def enrolled(answer: Answer) -> Enrolled:
    """The server's answer to an enrolment.

    Raises:
        ExchangeError: It refused, or the answer is not one.
    """
    if answer.status in _GOOD:
        try:
            return msgspec.json.decode(answer.body, type=Enrolled)
        except msgspec.DecodeError:
            raise ExchangeError(
                _UNUSABLE.reason, advice=_UNUSABLE.advice, status=answer.status
            ) from None
    refusal = _refusal(answer.body)
    reason = _line(refusal.error) if refusal else f"it answered {answer.status}"
    advice = _line(refusal.advice) if refusal else "check its address, or ask your operator"
    raise ExchangeError(
        f"the server did not enrol this machine: {reason}",
        advice=_LABEL_TAKEN if refusal and answer.status == HTTPStatus.CONFLICT else advice,
        status=answer.status,
        retry_after_s=answer.retry_after_s,
    )


def unheard(answer: Answer) -> str:
    """Why a goodbye was not heard; empty where the server knows this machine as gone.

    A token that does not hold (any more) is as good: what it was for has left.
    """
    if answer.status == HTTPStatus.NO_CONTENT:
        return ""
    refusal = _refusal(answer.body)
    if refusal is None:
        is_page = answer.status in _GOOD
        return _UNUSABLE.reason if is_page else f"the server answered {answer.status}"
    return "" if answer.status == HTTPStatus.UNAUTHORIZED else _line(refusal.error)


def view(body: bytes) -> MachineView | None:
    """A machine's standing out of an answer's body; None if it is none."""
    try:
        return msgspec.json.decode(body, type=MachineView)
    except msgspec.DecodeError:
        return None


def _good(state: State, answer: Answer) -> Answered:
    if state is State.UPLOAD:
        # The protocol's answer is 201; a network's sign-in page says 200.
        return Answered(Outcome.DONE) if answer.status == HTTPStatus.CREATED else _UNUSABLE
    if state is State.ASK:
        machine = view(answer.body)
        return Answered(Outcome.DONE, tag=machine.tag) if machine else _UNUSABLE
    if state in {State.RENEW, State.REGAIN}:
        token = _next_token(answer.body)
        return Answered(Outcome.DONE, token=token) if token else _UNUSABLE
    try:
        ack = msgspec.json.decode(answer.body, type=Ack)
    except msgspec.DecodeError:
        return _UNUSABLE
    return Answered(Outcome.RESYNC if ack.resync else Outcome.DONE, ack=ack)


def _next_token(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=Renewed).token
    except msgspec.DecodeError:
        return None


def _refused(state: State, status: int, *, ours: bool) -> Outcome:
    if status in _ANYONES:
        return _ANYONES[status]
    if not ours or not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome.UNREACHED
    if status == HTTPStatus.CONFLICT and state is State.UPLOAD:
        return Outcome.UNREADABLE
    return _SERVERS.get(status, Outcome.REFUSED)


def _other_wire(told: Answered, refusal: Refusal, spoken: tuple[int, ...]) -> Answered:
    common = max(set(refusal.wires) & set(spoken), default=None)
    if common is not None:
        return replace(told, outcome=Outcome.OTHER_WIRE, wire=common)
    theirs = ", ".join(str(version) for version in refusal.wires) or "none"
    ours = ", ".join(str(version) for version in spoken)
    return Answered(
        Outcome.NO_WIRE,
        reason=f"the server reads wire versions {theirs}; this agent speaks {ours}",
        advice="update the agent, or ask your operator to update the server",
    )


def _refusal(body: bytes) -> Refusal | None:
    try:
        return msgspec.json.decode(body, type=Refusal)
    except msgspec.DecodeError:
        return None


def _line(text: str) -> str:
    # A server's words go to a terminal and a log: one line, nothing that moves a cursor.
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown[:REASON_MAX]
