"""A pause asked for or ended by a person, and whether the server knows of it."""

from contextlib import closing
from dataclasses import dataclass

from agent import cycle, lock
from agent.cycle import Parts
from agent.errors import AgentError
from agent.exchange import Exchange
from agent.identity import Identity
from agent.journal import open_journal
from agent.pause import Pause
from agent.pause_file import Pauses


@dataclass(frozen=True)
class Asked:
    """What asking for a pause gave.

    Attributes:
        pause: The pause, which holds in any case.
        reason: Why the server could not be told; empty when it was.
    """

    pause: Pause
    reason: str = ""


def ask(parts: Parts, who: Identity, length_s: int) -> Asked:
    """Begins a pause, and tries once to tell the server of it.

    Args:
        parts: What a cycle is made of.
        who: The enrolment.
        length_s: Seconds from now on.

    Raises:
        AgentError: It cannot be kept.
    """
    pauses = Pauses(parts.settings.state_dir)
    pause = pauses.begin(int(parts.clock()), length_s)
    try:
        reason = _tell(parts, who)
    except AgentError as error:
        # It holds all the same, so that not being able to tell is no failure.
        return Asked(pause, str(error))
    now = pauses.current(int(parts.clock())) or pause
    return Asked(now, "" if now.is_told else reason)


def _tell(parts: Parts, who: Identity) -> str:
    settings = parts.settings
    file = settings.state_dir / "cycle.lock"
    with (
        lock.held(file, timeout_s=settings.lock_timeout_s, holder="a check"),
        closing(open_journal(settings.state_dir)) as journal,
    ):
        if journal.backlog() is None:
            return "this machine was never looked at, so that there is nothing to check in with"
        x = cycle.announce(parts, journal, who, Exchange())
    return x.reason or "the server gave no usable answer"
