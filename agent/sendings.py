"""What leaves this laptop, byte for byte: what would go now, and what went last.

Nothing here sends. The same code makes these bytes as makes those that are sent; only the
enrolment secret is never among them, for it is kept nowhere. Activity is what the journal has of
it: the daemon hands over what it counted after a quarter of an hour at most (`agent.meter`).
"""

from agent import __version__, cycle, exchange
from agent.cycle import Parts
from agent.enrolment import SENT_LENGTH, UNTOLD_SECRET, message
from agent.exchange import Exchange
from agent.identity import Identity, Wish
from agent.journal import Journal
from agent.pause import Pause
from agent.pause_file import Pauses
from agent.wire import WIRE_VERSION

NAMES = ("enrolment", "profile", "check-in")
"""All that is ever sent, in the order in which it is."""

_UNDRAWN_KEY = "0" * 32


def upcoming(parts: Parts, journal: Journal, who: Identity | None) -> dict[str, bytes]:
    """What would be sent now, by name.

    The machine is looked at, and what was found is kept in the journal as after any look.
    A check-in that is under way without an answer is shown as it is, since it goes first. In
    a pause nothing is looked at, and all that may go is the check-in that tells of it.

    Raises:
        AgentError: The journal cannot be used.
    """
    pause = Pauses(parts.settings.state_dir).current(int(parts.clock()))
    if pause is not None:
        return _in_pause(parts, journal, pause)
    looked, _ = cycle.cycle(parts, journal, None, Exchange())
    sendings = {} if who else {"enrolment": _enrolment(parts)}
    sendings["profile"] = looked.body
    sendings["check-in"] = _check_in(parts, journal) or b""
    return sendings


def last(journal: Journal) -> dict[str, bytes]:
    """What was last sent, by name; what never was is left out."""
    kept = {name: journal.remembered(name) for name in NAMES}
    return {name: found[0] for name, found in kept.items() if found}


def enrolment_length(journal: Journal) -> int | None:
    """How many bytes the last enrolment had as it was sent; None where an older agent sent it."""
    kept = journal.remembered(SENT_LENGTH)
    return int(kept[0]) if kept else None


def _in_pause(parts: Parts, journal: Journal, pause: Pause) -> dict[str, bytes]:
    left_s = pause.left_s(int(parts.clock()))
    body = None if pause.is_told else _check_in(parts, journal, paused_s=left_s)
    return {} if body is None else {"check-in": body}


def _check_in(parts: Parts, journal: Journal, *, paused_s: int = 0) -> bytes | None:
    backlog = journal.backlog()
    if (body := journal.sent()) is not None or backlog is None:
        return body
    return exchange.check_in(
        backlog,
        wire=WIRE_VERSION,
        agent=__version__,
        clock=int(parts.clock()),
        paused_s=paused_s,
    )


def _enrolment(parts: Parts) -> bytes:
    # The label and the owner are typed by a person at that time, and the key is drawn then.
    label = parts.settings.label or "<the label you give>"
    wish = Wish(parts.settings.server_url or "", label, "<the owner you give>")
    return message(wish, secret=UNTOLD_SECRET, key=_UNDRAWN_KEY)
