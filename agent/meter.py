"""The daemon's counts of activity, between its looks and the journal.

A durable write for each look would be one a minute. Counts wait in memory instead, and are kept
when there is a check-in to make, when the daemon ends, and every `KEEP_S` otherwise. A crash or
a power cut loses what was counted since: a quarter of an hour at most. A check-in that another
command makes does not tell it yet, nor does ``show``.
"""

from collections.abc import Iterable

from agent import activity
from agent.activity import Counting, Seen
from agent.journal import Journal
from agent.running import LocalSession
from agent.wire import Activity

KEEP_S = 900
"""Seconds for which counts wait in memory at most."""

GAP_LOOKS = 5
"""Looks that are more than so many intervals apart have sleep between them."""


class Meter:
    """What one daemon has counted."""

    def __init__(self, interval_s: float) -> None:
        """Has looked at nothing yet.

        Args:
            interval_s: Seconds between two looks.
        """
        self._gap_s = max(1, round(GAP_LOOKS * interval_s))
        self._counting = Counting()
        self._waiting: tuple[Activity, ...] = ()
        self._kept_at: int | None = None

    def look(self, running: Iterable[LocalSession], now: int) -> None:
        """Counts up to now.

        Args:
            running: The sessions that run.
            now: The agent's clock, epoch seconds.
        """
        seen = (_seen(each) for each in running)
        self._counting, used = activity.count(self._counting, seen, now, gap_s=self._gap_s)
        self._waiting = activity.merged((*self._waiting, *used))
        if self._kept_at is None or now < self._kept_at:
            self._kept_at = now

    def stop(self) -> None:
        """Counts nothing until the next look, which is then a first one."""
        self._counting = Counting()

    def forget(self) -> None:
        """Lets go what was counted and not kept: it is of another enrolment."""
        self._waiting = ()

    def is_due(self, now: int) -> bool:
        """Whether counts have waited for so long that they are to be kept."""
        return bool(self._waiting) and now - (self._kept_at or 0) >= KEEP_S

    def keep(self, journal: Journal, now: int) -> None:
        """Hands what was counted to the journal.

        Raises:
            JournalError: It could not be kept; it goes on waiting here.
        """
        if self._waiting:
            journal.add_activity(self._waiting)
        self._waiting, self._kept_at = (), now


def _seen(local: LocalSession) -> Seen:
    build = local.session.build
    return Seen(local.process, local.started_at, local.surface, build.sha256 if build else None)
