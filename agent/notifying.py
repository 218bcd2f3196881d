"""The last word told to the desktop, where it means drift that was not told yet.

It counts as told before it is shown: a desktop that cannot show it is not tried again and
again, and a daemon that dies meanwhile does not repeat itself.
"""

import msgspec
import structlog

from agent import notify, platforms, word
from agent.cycle import Parts
from agent.errors import AgentError
from agent.journal import Journal
from agent.platforms import notices

_NAME = "notified"
_log = structlog.stdlib.get_logger("agent.notifying")


def tell(parts: Parts, journal: Journal) -> None:
    """Shows on the desktop what the server's last word makes worth it.

    A desktop that cannot show it is no failure: that is logged.

    Args:
        parts: The settings and the environment.
        journal: Holds the word, and which findings were told.

    Raises:
        JournalError: It cannot be kept what was told.
    """
    if not parts.settings.notify_desktop:
        return
    heard = word.last(journal)
    if heard is None:
        return
    before = _told(journal)
    decision = notify.decide(heard.view, before)
    if decision.told != before:
        body = msgspec.json.encode(sorted(decision.told))
        journal.remember(_NAME, body, int(parts.clock()))
    if decision.notice is not None:
        _show(parts, decision.notice)


def _told(journal: Journal) -> frozenset[notify.Key]:
    kept = journal.remembered(_NAME)
    try:
        return msgspec.json.decode(kept[0], type=frozenset[notify.Key]) if kept else frozenset()
    except msgspec.DecodeError:
        # Kept by another version of the agent: what it told may be told once more.
        return frozenset()


def _show(parts: Parts, notice: notify.Notice) -> None:
    settings = parts.settings
    host = platforms.live(
        home=settings.home,
        system_root=settings.system_root,
        environment=parts.environment,
        process_roots=settings.process_roots,
    )
    try:
        notices.show(host, notice)
    except AgentError as error:
        _log.warning("notification not shown", reason=str(error))
