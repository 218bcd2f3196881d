"""The server's word on this machine: asked for now, or as it was last heard."""

from dataclasses import dataclass

import msgspec

from agent import answers
from agent.cycle import Contact, Parts
from agent.errors import AgentError, ExchangeError
from agent.exchange import Exchange
from agent.exchange_table import Outcome, State
from agent.identity import Identity
from agent.journal import Journal
from agent.pause_file import Pauses
from agent.transport import Transport
from agent.wire import MachineView

IN_PAUSE = "this machine is paused: the server was not asked"
"""Why a word is the last one while a pause lasts."""


@dataclass(frozen=True)
class Word:
    """What the server says of this machine.

    Attributes:
        view: The word.
        heard_at: When it came, by the agent's clock.
        old_because: Why it could not be asked for now; empty where it was, or was not to be.
    """

    view: MachineView
    heard_at: int
    old_because: str = ""

    def age_s(self, now: float) -> int:
        """How long ago it came, in seconds."""
        return max(0, int(now) - self.heard_at)


def last(journal: Journal, old_because: str = "") -> Word | None:
    """The word that was heard last; None where none ever was."""
    kept = journal.remembered("view")
    view = answers.view(kept[0]) if kept else None
    return Word(view, kept[1], old_because) if kept and view else None


def last_contact(journal: Journal) -> Contact | None:
    """How the last conversation ended; None where there was none."""
    kept = journal.remembered("contact")
    return msgspec.json.decode(kept[0], type=Contact) if kept else None


def asked(parts: Parts, journal: Journal, transport: Transport) -> Word:
    """The word at this moment, kept as the last one.

    Raises:
        ExchangeError: The server was not reached, or gave none.
    """
    answer = transport.send("GET", "v1/machines/me")
    meaning = answers.classify(State.ASK, answer, wire=Exchange().wire)
    view = answers.view(answer.body)
    if meaning.outcome is not Outcome.DONE or view is None:
        raise ExchangeError(meaning.reason, advice=meaning.advice, status=answer.status)
    now = int(parts.clock())
    journal.remember("view", answer.body, now)
    return Word(view, now)


def newest(parts: Parts, journal: Journal, who: Identity) -> Word:
    """The word at this moment, or the last one and why it is not newer.

    Nothing is looked at, and in a pause nothing is asked.

    Raises:
        AgentError: There is none: why, and what to do.
    """
    try:
        if Pauses(parts.settings.state_dir).current(int(parts.clock())) is not None:
            raise ExchangeError(IN_PAUSE, advice="to end the pause, run: parity-agent resume")
        with Transport(parts.settings, who.server_url, who.token) as transport:
            return asked(parts, journal, transport)
    except AgentError as error:
        word = last(journal, str(error))
        if word is None:
            raise
        return word
