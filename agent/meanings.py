"""What the words of a verdict mean, by the server, kept so that it can be read without one.

They are asked for when a person checks, or asks what something means, and at most once a day
while they are known. The question carries no token: it is nobody's in particular.
"""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from agent.cycle import Parts
from agent.errors import AgentError, ExchangeError
from agent.identity import Identity
from agent.journal import Journal
from agent.pause_file import Pauses
from agent.transport import Transport
from agent.wire import Meanings

FRESH_S = 86_400
"""Seconds for which kept meanings are not asked for again."""

_NAME = "meanings"
_UNTOLD = "the server does not tell what its words mean"
_NONE = Meanings((), (), (), ())


@dataclass(frozen=True)
class Kept:
    """The meanings that this laptop has.

    Attributes:
        meanings: By kind; all empty where the server was never reached for them.
        asked_at: When they came, by the agent's clock; None where they never did.
        reason: Why they could not be asked for just now; empty where they were, or need not be.
    """

    meanings: Meanings = _NONE
    asked_at: int | None = None
    reason: str = ""


def kept(journal: Journal, reason: str = "") -> Kept:
    """What is kept, without asking; bytes that are none count as never heard."""
    found = journal.remembered(_NAME)
    try:
        return Kept(_decoded(found[0]), found[1], reason) if found else Kept(reason=reason)
    except msgspec.DecodeError:
        return Kept(reason=reason)


def learn(parts: Parts, journal: Journal, who: Identity, *, missing: str | None = None) -> Kept:
    """The meanings, asked for where those that are kept are old or lack a word.

    That the server cannot be reached for them is no failure, and in a pause it is not asked.

    Args:
        parts: The settings and the clock.
        journal: Where they are kept.
        who: Whose server is asked.
        missing: A word that has to be among them, else they are asked for again.

    Raises:
        JournalError: They cannot be kept.
    """
    known, now = kept(journal), int(parts.clock())
    lacks = missing is not None and not known.meanings.of(missing)
    is_fresh = known.asked_at is not None and 0 <= now - known.asked_at < FRESH_S
    if is_fresh and not lacks:
        return known
    try:
        if Pauses(parts.settings.state_dir).current(now) is not None:
            return kept(journal, "this machine is paused")
        body = _asked(parts, who.server_url)
        found = _decoded(body)
    except AgentError as error:
        return kept(journal, str(error))
    except msgspec.DecodeError:
        return kept(journal, _UNTOLD)
    journal.remember(_NAME, body, now)
    return Kept(found, now)


def ask(parts: Parts, server_url: str) -> Kept:
    """The meanings of a server that does not know this machine; they are not kept.

    Raises:
        ExchangeError: It was not reached, or does not tell them.
    """
    try:
        found = _decoded(_asked(parts, server_url))
    except msgspec.DecodeError as error:
        raise ExchangeError(_UNTOLD, advice="check the server's address") from error
    return Kept(found, int(parts.clock()))


def _asked(parts: Parts, server_url: str) -> bytes:
    with Transport(parts.settings, server_url, None) as transport:
        answer = transport.send("GET", "v1/meanings")
    return answer.body if answer.status == HTTPStatus.OK else b""


def _decoded(body: bytes) -> Meanings:
    return msgspec.json.decode(body, type=Meanings)
