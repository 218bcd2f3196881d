"""What leaves this laptop, byte for byte: what would go now, and what went last.

Nothing here sends. The same code makes these bytes as makes those that are sent; only the
enrolment secret is never among them, for it is kept nowhere.
"""

from agent import __version__, cycle, exchange
from agent.cycle import Parts
from agent.enrolment import UNTOLD_SECRET, message
from agent.exchange import Exchange
from agent.identity import Identity, Wish
from agent.journal import Journal

NAMES = ("enrolment", "profile", "check-in")
"""All that is ever sent, in the order in which it is."""

_UNDRAWN_KEY = "0" * 32


def upcoming(parts: Parts, journal: Journal, who: Identity | None) -> dict[str, bytes]:
    """What would be sent now, by name.

    The machine is looked at, and what was found is kept in the journal as after any look.
    A check-in that is under way without an answer is shown as it is, since it goes first.

    Raises:
        AgentError: The journal cannot be used.
    """
    looked, x = cycle.cycle(parts, journal, None, Exchange())
    sendings = {} if who else {"enrolment": _enrolment(parts)}
    sendings["profile"] = looked.body
    body = journal.sent()
    backlog = journal.backlog()
    if body is None and backlog is not None:
        clock = int(parts.clock())
        body = exchange.check_in(backlog, wire=x.wire, agent=__version__, clock=clock)
    sendings["check-in"] = body or b""
    return sendings


def last(journal: Journal) -> dict[str, bytes]:
    """What was last sent, by name; what never was is left out."""
    kept = {name: journal.remembered(name) for name in NAMES}
    return {name: found[0] for name, found in kept.items() if found}


def _enrolment(parts: Parts) -> bytes:
    # The label and the owner are typed by a person at that time, and the key is drawn then.
    label = parts.settings.label or "<the label you give>"
    wish = Wish(parts.settings.server_url or "", label, "<the owner you give>")
    return message(wish, secret=UNTOLD_SECRET, key=_UNDRAWN_KEY)
