"""A check asked for by a person: one cycle now, and the server's word on it."""

import time
from dataclasses import dataclass

from agent import answers, cycle, digest, lock, text
from agent.cycle import Looked, Parts
from agent.errors import AgentError, ExchangeError, IdentityError, PausedError
from agent.exchange import Exchange
from agent.exchange_table import State
from agent.identity import Identity
from agent.journal import Journal
from agent.pause_file import Pauses
from agent.transport import Transport
from agent.wire import MachineView
from agent.word import asked, last

ASK_EVERY_S = 1.0
"""Seconds between two questions while the server is still looking something up."""


@dataclass(frozen=True)
class Checked:
    """What a check gave.

    Attributes:
        looked: What was found on the laptop.
        view: The server's word on it; None where it gave none.
        untold: Why it gave none; None where it did.
    """

    looked: Looked
    view: MachineView | None
    untold: AgentError | None = None


def now(parts: Parts, journal: Journal, who: Identity, *, wait_s: float) -> Checked:
    """Looks, checks in, and asks for the verdict.

    Args:
        parts: What the cycle is made of.
        journal: Of this state folder.
        who: The enrolment.
        wait_s: Seconds to wait while the server is still looking something up.

    Raises:
        PausedError: A pause lasts, which a check does not break.
        AgentError: The journal or the lock cannot be used.
    """
    settings = parts.settings
    file = settings.state_dir / "cycle.lock"
    with lock.held(file, timeout_s=settings.lock_timeout_s, holder="another check"):
        _refuse_in_pause(parts)
        # No verdict counts as known, so that it is asked for in any case.
        looked, x = cycle.cycle(parts, journal, who, Exchange())
        try:
            view = _word(journal, x)
            ends = time.monotonic() + wait_s
            with Transport(settings, who.server_url, who.token) as transport:
                while _unsettled(view, looked) and time.monotonic() < ends:
                    time.sleep(ASK_EVERY_S)
                    view = asked(parts, journal, transport).view
            _refuse_another(view, looked, x)
        except (ExchangeError, IdentityError) as error:
            return Checked(looked, None, error)
    return Checked(looked, view)


def _refuse_another(view: MachineView, looked: Looked, x: Exchange) -> None:
    if view.profile != digest.of_bytes(looked.body):
        raise ExchangeError(
            x.reason or "the server has not judged what was found just now",
            advice=x.advice or "try again in a while",
        )


def _refuse_in_pause(parts: Parts) -> None:
    pause = Pauses(parts.settings.state_dir).current(int(parts.clock()))
    if pause is not None:
        raise PausedError(
            f"this machine is paused until {text.when(pause.until, None)}: it was not looked at,"
            " and nothing was sent",
            advice="to end the pause, run: parity-agent resume",
        )


def _word(journal: Journal, x: Exchange) -> MachineView:
    word = last(journal)
    if x.state is State.UNENROLLED:
        raise IdentityError(
            "the server does not know this machine's token",
            advice=answers.ENROL_AGAIN,
        )
    if x.state is not State.REST or word is None or word.view.tag != x.tag:
        raise ExchangeError(
            x.reason or "the server gave no verdict", advice=x.advice or "try again in a while"
        )
    return word.view


def _unsettled(view: MachineView, looked: Looked) -> bool:
    return view.settling or view.profile != digest.of_bytes(looked.body)
