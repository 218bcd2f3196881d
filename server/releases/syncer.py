"""Keeps the ledger up with the sources: heads on a schedule, versions on demand.

Sources are asked on the calling thread; only what they said goes through the writer, and
the ledger in memory is swapped after that commit. Each source may fail alone: it pauses,
its health says since when, and after a while one incident tells the operator.

A look-up costs little however many laptops ask: a source's list first, its manifest next,
a package only for a platform that was reported and that no manifest tells of, and only a few
an hour. Before a number that is newer than the heads is answered, the heads are read again.
"""

import threading
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from server.alerts.outbox import end_operator, tell_operator
from server.current import Current
from server.errors import SourceError
from server.releases.answers import Vote, fold, unanswered
from server.releases.ledger import Artifact, Lookup
from server.releases.news import is_news
from server.releases.pauses import Downloads, Pause
from server.releases.sources.interface import (
    NoWordError,
    Package,
    Published,
    Source,
    SourceReading,
)
from server.releases.versions import is_newer
from server.store import public, published
from server.store.published import Conflict
from server.store.writer import Writer

TOLD_AFTER_S = 1_800
"""How long a source is unreachable before the operator is told, in seconds."""

READ_GAP_S = 5
"""Least time between two readings of the heads for look-ups, in seconds."""

T = TypeVar("T")

_log = structlog.stdlib.get_logger("server.syncer")


class Syncer:
    """Reads the sources into the store; one reading or look-up at a time.

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
        self._writer = writer
        self._current = current
        self._clock = clock
        self._pauses = {source.name: Pause() for source in sources}
        self._downloads = Downloads()
        self._answering: set[str] = set()
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
            before = self._current.ledger
            self._asked_at = self._clock()
            for source in self._sources:
                # All of one before the next: a source out of reach delays only itself.
                self._read(source)
                self._learn_heads(source)
            return is_news(before, self._current.ledger)

    def look_up(self) -> bool:
        """Answers the look-ups that wait.

        Returns:
            Whether the ledger changed in a way that verdicts could depend on.

        Raises:
            StoreError: The database could not keep what was found.
        """
        with self._one_at_a_time:
            asked = self._writer.run(public.waiting).result()
            if not asked:
                return False
            before = self._current.ledger
            self._read_again(asked)
            for lookup in asked:
                if not self._needs_reading(lookup):
                    self._answer(lookup.version)
            return is_news(before, self._current.ledger)

    def _read(self, source: Source) -> None:
        now = self._clock()
        if not self._pauses[source.name].is_over(now):
            return
        try:
            reading = source.read()
        except SourceError as error:
            reason = str(error)
            self._failed(source, error)
            self._answering.discard(source.name)
            self._save(lambda conn: _note_failure(conn, source.name, reason, now))
            return
        self._pauses[source.name].succeeded()
        self._answering.add(source.name)
        self._save(lambda conn: _save_reading(conn, source.name, reading, now))

    def _failed(self, source: Source, error: SourceError) -> None:
        self._pauses[source.name].failed(self._clock(), error.retry_after_s)
        _log.warning("source_failed", source=source.name, error=str(error), advice=error.advice)

    def _learn_heads(self, source: Source) -> None:
        if source.name not in self._answering:
            return
        ledger = self._current.ledger
        heads = {head.version for head in ledger.heads() if head.source == source.name}
        for version in sorted(heads):
            if not any(known.source == source.name for known in ledger.artifacts(version)):
                self._ask_source(source, version)

    def _read_again(self, asked: Iterable[Lookup]) -> None:
        is_due = self._clock() - self._asked_at >= READ_GAP_S
        if is_due and any(self._needs_reading(lookup) for lookup in asked):
            self.read_heads()

    def _needs_reading(self, lookup: Lookup) -> bool:
        """Whether the heads must be read after this was asked, before it can be answered."""
        # A clock that was set back must not make a question wait for its own time again.
        if self._asked_at >= max(min(lookup.asked_at, self._clock()), 1):
            return False
        ledger = self._current.ledger
        listed = ledger.release(lookup.version) is not None
        return not (self._answering and listed) or any(
            is_newer(lookup.version, head.version) for head in ledger.heads()
        )

    def _answer(self, version: str) -> None:
        now = self._clock()
        votes = [self._vote(source, version, now) for source in self._sources]
        answer = fold(votes, self._current.ledger.lookup(version))
        self._save(lambda conn: public.answer(conn, version, answer.outcome, answer.reason, now))
        _log.info("looked_up", version=version, outcome=answer.outcome, reason=answer.reason)

    def _vote(self, source: Source, version: str, now: int) -> Vote:
        if source.name in self._answering and self._pauses[source.name].is_over(now):
            return self._ask_source(source, version)
        healths = self._writer.run(public.health).result()
        health = next((item for item in healths if item.source == source.name), None)
        if health is None:
            return unanswered(source.name, None, None, now)
        return unanswered(source.name, health.read_at, health.error, now)

    def _ask_source(self, source: Source, version: str) -> Vote:
        try:
            told = source.manifest(version)
            if told is None:
                return Vote(source.name, "absent")
            self._save(lambda conn: _save_published(conn, source.name, told, self._clock()))
            return self._hash_packages(source, told)
        except NoWordError as error:
            return Vote(source.name, "mute", str(error))
        except SourceError as error:
            if error.retry_after_s is not None:
                self._failed(source, error)
            return Vote(source.name, "failed", str(error))

    def _hash_packages(self, source: Source, told: Published) -> Vote:
        version = told.release.version
        for package in self._lacking(told):
            if not self._downloads.take(self._clock()):
                reason = "its package waits: so many are downloaded in an hour, and no more"
                return Vote(source.name, "failed", reason)
            self._keep(source.hash_package(version, package))
        return Vote(source.name, "found")

    def _keep(self, artifact: Artifact | None) -> None:
        if artifact is not None:
            self._save(lambda conn: _save_files(conn, (artifact,), self._clock()))

    def _lacking(self, told: Published) -> list[Package]:
        """The packages to download: those of one platform only if a laptop reported it.

        A bundle is downloaded in any case: what runs on a Mac is known by nothing else.
        """
        if not told.packages:
            return []
        version = told.release.version
        seen = self._writer.run(lambda conn: published.platforms_seen(conn, version)).result()
        files = self._current.ledger.artifacts(version)
        known = {Package(artifact.platform, artifact.form) for artifact in files}
        return [
            package
            for package in told.packages
            if package not in known
            and (package.platform is None or package.form == "bundle" or package.platform in seen)
        ]

    def _save(self, work: Callable[[Connection], T]) -> None:
        """Commits, and then swaps the ledger, on the writer's thread."""
        self._writer.run(work).result()
        self._writer.run(self._swap).result()

    def _swap(self, conn: Connection) -> None:
        self._current.ledger = public.load_ledger(conn)


def _save_reading(conn: Connection, source: str, reading: SourceReading, now: int) -> None:
    published.save_heads(conn, source, reading.heads, now)
    published.save_releases(conn, source, reading.releases)
    before = public.mark_ok(conn, source, now)
    if before is not None and before.told_at is not None:
        end_operator(conn, _topic(source), f"The release source {source} answers again.", now)


def _note_failure(conn: Connection, source: str, error: str, now: int) -> None:
    health = public.mark_unreachable(conn, source, error, now)
    # One that never answered is told by `doctor` and the status, where the set-up is seen to.
    if health.read_at is None or health.told_at is not None or now < health.since + TOLD_AFTER_S:
        return
    text = (
        f"The release source {source} gives no usable answer: {error}. What was read last is"
        " used until it is too old to decide by; laptops are `unknown` from then on."
    )
    tell_operator(conn, _topic(source), text, now)
    public.mark_told(conn, source, now)


def _save_published(conn: Connection, source: str, told: Published, now: int) -> None:
    published.save_releases(conn, source, (told.release,))
    _save_files(conn, told.artifacts, now)


def _save_files(conn: Connection, files: Iterable[Artifact], now: int) -> None:
    for conflict in published.save_artifacts(conn, files, now):
        tell_operator(conn, _conflict_topic(conflict), _conflict_text(conflict), now)


def _topic(source: str) -> str:
    return f"source {source}"


def _conflict_topic(conflict: Conflict) -> str:
    stated = conflict.stated
    return f"artifact {stated.version} {stated.platform or stated.form}"


def _conflict_text(conflict: Conflict) -> str:
    known, stated = conflict.known, conflict.stated
    return (
        f"Two digests are stated for {stated.version} on {stated.platform or 'every platform'}:"
        f" {known.source} said {known.sha256}, {stated.source} now says {stated.sha256}."
        " A public file does not change: find out which of them was altered."
    )
