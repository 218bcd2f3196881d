"""Which sources answer: read one by one, each of which may fail alone and then pauses."""

from collections.abc import Collection

import structlog
from sqlalchemy import Connection

from server.errors import SourceError
from server.releases.asking import Asker
from server.releases.pauses import Pause
from server.releases.sources.interface import Source, SourceReading
from server.store import public, published

SHORT_S = 24 * 3_600
"""How long a list that lost more than half of its versions is refused, in seconds: if it still
says so then, it is the longer one that was wrong, or it is meant."""

_log = structlog.stdlib.get_logger("server.syncer")


class Reach:
    """Reads sources, and knows which of them may be asked further.

    Args:
        sources: Those to read.
        asker: Keeps what they say.
    """

    def __init__(self, sources: Collection[Source], asker: Asker) -> None:
        self._asker = asker
        self._pauses = {source.name: Pause() for source in sources}
        self._answering: set[str] = set()
        self._short_since: dict[str, int] = {}

    def has_answered(self, source: Source) -> bool:
        """Whether the last reading of a source succeeded."""
        return source.name in self._answering

    def answers(self, source: Source) -> bool:
        """Whether its last reading succeeded, and it is not paused since."""
        return self.has_answered(source) and self._pauses[source.name].is_over(self._asker.now())

    def read(self, source: Source) -> None:
        """Reads a source, unless it is paused.

        Raises:
            StoreError: The database could not keep what was read.
        """
        now = self._asker.now()
        if not self._pauses[source.name].is_over(now):
            return
        try:
            reading = source.read()
            self._check(source, reading, now)
        except SourceError as error:
            reason = str(error)
            self.pause(source, error)
            self._answering.discard(source.name)
            self._asker.save(lambda conn: public.mark_unreachable(conn, source.name, reason, now))
            return
        self._pauses[source.name].succeeded()
        self._answering.add(source.name)
        self._asker.save(lambda conn: _keep(conn, source, reading, now))

    def pause(self, source: Source, error: SourceError) -> None:
        """Leaves a source alone for a while, for as long as it asks at least."""
        self._pauses[source.name].failed(self._asker.now(), error.retry_after_s)
        _log.warning("source_failed", source=source.name, error=str(error), advice=error.advice)

    def _check(self, source: Source, reading: SourceReading, now: int) -> None:
        """Refuses a list that lost more than half of its versions: a broken answer, for a day."""
        if not source.keeps_list:
            return
        known = self._asker.read(lambda conn: published.count_listed(conn, source.name))
        listed = len(reading.releases)
        if 2 * listed >= known:
            self._short_since.pop(source.name, None)
        elif now < self._short_since.setdefault(source.name, now) + SHORT_S:
            raise SourceError(
                f"{source.name} lists {listed} versions where it listed {known} before",
                advice="see whether its address still leads to the whole public list",
            )


def _keep(conn: Connection, source: Source, reading: SourceReading, now: int) -> None:
    published.save_heads(conn, source.name, reading.heads, now)
    if source.keeps_list:
        listed = published.save_list(conn, source.name, reading.releases, now)
        # It may have been looked up a moment too soon: that answer is not kept for its hour.
        public.ask_again(conn, listed, now)
    else:
        published.save_releases(conn, source.name, reading.releases)
    public.mark_ok(conn, source.name, now)
