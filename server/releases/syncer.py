"""Keeps the ledger up with the sources: heads on a schedule, versions on demand and beforehand.

Its parts each do one thing: `Reach` reads the sources and knows which of them answer, `Asker`
asks one about a version and keeps its word, `Voter` answers look-ups, `Learner` learns what
nobody asked for yet. Here is what holds them together: one reading or look-up at a time, and
whether what was read is news for verdicts.

Before a number that is newer than the heads is answered, the heads are read again; asked once
more soon after, for a laptop that took the same build since, that is all that happens: neither
the answer nor its time changes, so that no verdict rests on how often it was asked.
"""

import threading
from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection

from server.current import Current
from server.releases.asking import Asker
from server.releases.health import conditions
from server.releases.learning import Learner
from server.releases.ledger import Lookup
from server.releases.news import is_news
from server.releases.reach import Reach
from server.releases.sources.interface import Source
from server.releases.versions import is_newer
from server.releases.voting import Voter
from server.store import conditions as held
from server.store import public
from server.store.writer import Writer

READ_GAP_S = 5
"""Least time between two readings of the heads for look-ups, in seconds."""


class Syncer:
    """Reads the sources into the store.

    Args:
        sources: Those to read, the most telling first.
        writer: Writes what they said.
        current: Where the ledger is swapped.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        sources: Collection[Source],
        writer: Writer,
        current: Current,
        clock: Callable[[], int],
    ) -> None:
        self._sources = sources
        self._asker = Asker(writer, current, clock)
        self._reach = Reach(sources, self._asker)
        self._voter = Voter(sources, self._reach, self._asker)
        self._learner = Learner(sources, self._reach, self._asker)
        self._asked_at = 0
        self._one_at_a_time = threading.RLock()

    def read_heads(self) -> bool:
        """Reads every source that is not paused, and the digests of new heads.

        Returns:
            Whether the ledger changed in a way that verdicts could depend on.

        Raises:
            StoreError: The database could not keep what was read.
        """
        with self._one_at_a_time:
            before = self._asker.ledger
            self._asked_at = self._asker.now()
            for source in self._sources:
                # All of one before the next: a source out of reach delays only itself.
                self._reach.read(source)
                self._learner.heads(source)
            self.watch()
            return is_news(before, self._asker.ledger)

    def look_up(self) -> bool:
        """Answers the look-ups that wait.

        Returns:
            Whether the ledger changed in a way that verdicts could depend on.

        Raises:
            StoreError: The database could not keep what was found.
        """
        with self._one_at_a_time:
            asked = self._asker.read(public.waiting)
            if not asked:
                return False
            before = self._asker.ledger
            self._read_again(asked)
            self._voter.answer([lookup for lookup in asked if not self._needs_reading(lookup)])
            return is_news(before, self._asker.ledger)

    def learn(self) -> bool:
        """Learns a little of what nobody asked for yet; nothing waits for it meanwhile.

        Returns:
            Whether the ledger changed in a way that verdicts could depend on.

        Raises:
            StoreError: The database could not keep what was read.
        """
        before = self._asker.ledger
        self._learner.step()
        return is_news(before, self._asker.ledger)

    def refresh(self, since: int) -> None:
        """Reads every source, and everything published from a moment on, at once.

        Raises:
            StoreError: The database could not keep what was read.
        """
        with self._one_at_a_time:
            for source in self._sources:
                self._reach.read(source)
            self._learner.refresh(since)
            self.watch()

    def watch(self) -> None:
        """Looks what is wrong with the sources, and has the operator told.

        Raises:
            StoreError: The database could not keep it.
        """
        ledger, now = self._asker.ledger, self._asker.now()

        def work(conn: Connection) -> None:
            held.reconcile(conn, conditions(ledger, public.health(conn), now), now)

        self._asker.read(work)

    def _read_again(self, asked: Iterable[Lookup]) -> None:
        is_due = self._asker.now() - self._asked_at >= READ_GAP_S
        if is_due and any(self._needs_reading(lookup) for lookup in asked):
            self.read_heads()

    def _needs_reading(self, lookup: Lookup) -> bool:
        """Whether the heads must be read after this was asked, before it can be answered."""
        # A clock that was set back must not make a question wait for its own time again.
        if self._asked_at >= max(min(lookup.asked_at, self._asker.now()), 1):
            return False
        ledger = self._asker.ledger
        listed = ledger.release(lookup.version) is not None
        answering = any(self._reach.has_answered(source) for source in self._sources)
        return not (answering and listed) or any(
            is_newer(lookup.version, head.version) for head in ledger.heads()
        )
