"""The exchange's states and everything that moves between them, as two literal tables.

Everything that affects a transition is here, in the manner of h11's state file. A pair
that is in no table cannot happen: `agent.exchange` raises and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class State(Enum):
    """What the exchange is about to do."""

    UNENROLLED = "unenrolled"
    CHECK_IN = "check-in"
    ANNOUNCE = "announce"
    UPLOAD = "upload"
    ASK = "ask"
    RENEW = "renew"
    REGAIN = "regain"
    REST = "rest"
    PAUSED = "paused"
    BACK_OFF = "back-off"
    STOPPED = "stopped"


class Outcome(Enum):
    """What an answer, or its absence, means."""

    DONE = "done"
    RESYNC = "resync"
    UNAUTHORISED = "unauthorised"
    REFUSED = "refused"
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    OTHER_WIRE = "other-wire"
    NO_WIRE = "no-wire"
    BUSY = "busy"
    UNREACHED = "unreached"


class Event(Enum):
    """What happens on the laptop."""

    DUE = "due"
    CHANGED = "changed"
    WOKE = "woke"
    ENROLLED = "enrolled"
    PAUSED = "paused"
    RESUMED = "resumed"


class Effect(Enum):
    """What the journal has to do about an answer."""

    NONE = "none"
    ACKNOWLEDGE = "acknowledge"
    NEW_EPOCH = "new-epoch"
    SHED = "shed"
    DELIVERED = "delivered"
    KEEP_VIEW = "keep-view"
    KEEP_TOKEN = "keep-token"  # noqa: S105 - what to do with one


@dataclass(frozen=True)
class Step:
    """One cell of the table.

    Attributes:
        to: The next state.
        effect: For the journal.
    """

    to: State
    effect: Effect = Effect.NONE


# Onward is the first of UPLOAD, ASK, RENEW and REST that has something to do: see `_onward`.
_ONWARD = State.UPLOAD
# The token may have ended only: the machine's key gets it another one, or none.
_ENDED = Step(State.REGAIN)
_GONE = Step(State.UNENROLLED)
_LATER = Step(State.BACK_OFF)

TRANSITIONS: Mapping[tuple[State, Outcome], Step] = MappingProxyType(
    {
        (State.CHECK_IN, Outcome.DONE): Step(_ONWARD, Effect.ACKNOWLEDGE),
        (State.CHECK_IN, Outcome.RESYNC): Step(State.CHECK_IN, Effect.NEW_EPOCH),
        (State.CHECK_IN, Outcome.UNAUTHORISED): _ENDED,
        (State.CHECK_IN, Outcome.REFUSED): _LATER,
        (State.CHECK_IN, Outcome.TOO_LARGE): Step(State.BACK_OFF, Effect.SHED),
        # Bytes that the server cannot read are not sent to it again as they are.
        (State.CHECK_IN, Outcome.UNREADABLE): Step(State.BACK_OFF, Effect.NEW_EPOCH),
        (State.CHECK_IN, Outcome.OTHER_WIRE): Step(State.CHECK_IN, Effect.NEW_EPOCH),
        (State.CHECK_IN, Outcome.NO_WIRE): Step(State.STOPPED),
        (State.CHECK_IN, Outcome.BUSY): _LATER,
        (State.CHECK_IN, Outcome.UNREACHED): _LATER,
        # A check-in that tells of a pause, and nothing after it while the pause lasts.
        (State.ANNOUNCE, Outcome.DONE): Step(State.PAUSED, Effect.ACKNOWLEDGE),
        (State.ANNOUNCE, Outcome.RESYNC): Step(State.ANNOUNCE, Effect.NEW_EPOCH),
        (State.ANNOUNCE, Outcome.UNAUTHORISED): _ENDED,
        (State.ANNOUNCE, Outcome.REFUSED): _LATER,
        (State.ANNOUNCE, Outcome.TOO_LARGE): Step(State.BACK_OFF, Effect.SHED),
        (State.ANNOUNCE, Outcome.UNREADABLE): Step(State.BACK_OFF, Effect.NEW_EPOCH),
        (State.ANNOUNCE, Outcome.OTHER_WIRE): Step(State.ANNOUNCE, Effect.NEW_EPOCH),
        (State.ANNOUNCE, Outcome.NO_WIRE): Step(State.STOPPED),
        (State.ANNOUNCE, Outcome.BUSY): _LATER,
        (State.ANNOUNCE, Outcome.UNREACHED): _LATER,
        (State.UPLOAD, Outcome.DONE): Step(_ONWARD, Effect.DELIVERED),
        (State.UPLOAD, Outcome.UNAUTHORISED): _ENDED,
        # A profile that is refused for good is let go: its laptop still checks in.
        (State.UPLOAD, Outcome.REFUSED): Step(_ONWARD, Effect.DELIVERED),
        (State.UPLOAD, Outcome.TOO_LARGE): Step(_ONWARD, Effect.DELIVERED),
        (State.UPLOAD, Outcome.UNREADABLE): Step(_ONWARD, Effect.DELIVERED),
        (State.UPLOAD, Outcome.OTHER_WIRE): Step(_ONWARD, Effect.DELIVERED),
        (State.UPLOAD, Outcome.NO_WIRE): Step(_ONWARD, Effect.DELIVERED),
        # The hourly limit on new profiles must not silence the check-ins.
        (State.UPLOAD, Outcome.BUSY): Step(_ONWARD),
        (State.UPLOAD, Outcome.UNREACHED): _LATER,
        (State.ASK, Outcome.DONE): Step(State.REST, Effect.KEEP_VIEW),
        (State.ASK, Outcome.UNAUTHORISED): _ENDED,
        (State.ASK, Outcome.REFUSED): Step(State.REST),
        (State.ASK, Outcome.TOO_LARGE): Step(State.REST),
        (State.ASK, Outcome.UNREADABLE): Step(State.REST),
        (State.ASK, Outcome.OTHER_WIRE): Step(State.REST),
        (State.ASK, Outcome.NO_WIRE): Step(State.REST),
        (State.ASK, Outcome.BUSY): _LATER,
        (State.ASK, Outcome.UNREACHED): _LATER,
        # Asked for in time: the present token holds, and the next ack says it again.
        (State.RENEW, Outcome.DONE): Step(State.REST, Effect.KEEP_TOKEN),
        (State.RENEW, Outcome.UNAUTHORISED): Step(State.REST),
        (State.RENEW, Outcome.REFUSED): Step(State.REST),
        (State.RENEW, Outcome.TOO_LARGE): Step(State.REST),
        (State.RENEW, Outcome.UNREADABLE): Step(State.REST),
        (State.RENEW, Outcome.OTHER_WIRE): Step(State.REST),
        (State.RENEW, Outcome.NO_WIRE): Step(State.REST),
        (State.RENEW, Outcome.BUSY): _LATER,
        (State.RENEW, Outcome.UNREACHED): _LATER,
        # Asked for too late: without another token nothing can be said. An announcement that
        # was cut short goes on as one.
        (State.REGAIN, Outcome.DONE): Step(State.CHECK_IN, Effect.KEEP_TOKEN),
        (State.REGAIN, Outcome.UNAUTHORISED): _GONE,
        (State.REGAIN, Outcome.REFUSED): _GONE,
        (State.REGAIN, Outcome.TOO_LARGE): _GONE,
        (State.REGAIN, Outcome.UNREADABLE): _GONE,
        (State.REGAIN, Outcome.OTHER_WIRE): _GONE,
        (State.REGAIN, Outcome.NO_WIRE): _GONE,
        (State.REGAIN, Outcome.BUSY): _LATER,
        (State.REGAIN, Outcome.UNREACHED): _LATER,
    }
)
"""What an answer leads to. Every sending state knows every outcome that it can have."""

EVENTS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.REST, Event.DUE): State.CHECK_IN,
        (State.REST, Event.CHANGED): State.CHECK_IN,
        (State.REST, Event.WOKE): State.REST,
        (State.REST, Event.ENROLLED): State.CHECK_IN,
        # A person asked: one try at once, whatever the server said before.
        (State.REST, Event.PAUSED): State.ANNOUNCE,
        (State.REST, Event.RESUMED): State.CHECK_IN,
        (State.PAUSED, Event.DUE): State.PAUSED,
        (State.PAUSED, Event.CHANGED): State.PAUSED,
        (State.PAUSED, Event.WOKE): State.PAUSED,
        (State.PAUSED, Event.ENROLLED): State.PAUSED,
        (State.PAUSED, Event.PAUSED): State.ANNOUNCE,
        (State.PAUSED, Event.RESUMED): State.CHECK_IN,
        (State.BACK_OFF, Event.DUE): State.CHECK_IN,
        # A change waits with the rest: a server in trouble is not asked sooner.
        (State.BACK_OFF, Event.CHANGED): State.BACK_OFF,
        (State.BACK_OFF, Event.WOKE): State.BACK_OFF,
        (State.BACK_OFF, Event.ENROLLED): State.CHECK_IN,
        (State.BACK_OFF, Event.PAUSED): State.ANNOUNCE,
        (State.BACK_OFF, Event.RESUMED): State.BACK_OFF,
        # The server may have been updated since: it is asked again, rarely.
        (State.STOPPED, Event.DUE): State.CHECK_IN,
        (State.STOPPED, Event.CHANGED): State.STOPPED,
        (State.STOPPED, Event.WOKE): State.STOPPED,
        (State.STOPPED, Event.ENROLLED): State.CHECK_IN,
        (State.STOPPED, Event.PAUSED): State.ANNOUNCE,
        (State.STOPPED, Event.RESUMED): State.STOPPED,
        # A server restored from a backup may know the token again: it is asked, rarely.
        (State.UNENROLLED, Event.DUE): State.CHECK_IN,
        (State.UNENROLLED, Event.CHANGED): State.UNENROLLED,
        (State.UNENROLLED, Event.WOKE): State.UNENROLLED,
        (State.UNENROLLED, Event.ENROLLED): State.CHECK_IN,
        (State.UNENROLLED, Event.PAUSED): State.ANNOUNCE,
        (State.UNENROLLED, Event.RESUMED): State.UNENROLLED,
    }
)
"""What happens on the laptop between requests. A sending state has no events."""
