"""One source asked about one version: what it tells is kept, and what is odd is noted.

Sources are asked on the calling thread; only what they said goes through the writer, and the
ledger in memory is swapped after that commit. What a source shows that is not what was signed,
that lacks a signature, or that contradicts what was said before becomes a condition in the
transaction that keeps the rest (``server.store.conditions``), and ends in one likewise.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import Connection

from server.current import Current
from server.releases.health import Condition
from server.releases.ledger import Artifact, Ledger
from server.releases.pauses import DOWNLOADS_MAX, Budget
from server.releases.sources.interface import ForgedError, Package, Published, Source
from server.store import conditions, public, published
from server.store.following import renumber
from server.store.published import Conflict
from server.store.writer import Writer

T = TypeVar("T")


class Asker:
    """Asks sources and keeps their words.

    Args:
        writer: Writes what they said.
        current: Where the ledger is swapped.
        clock: Seconds since the epoch.
    """

    def __init__(self, writer: Writer, current: Current, clock: Callable[[], int]) -> None:
        self._writer = writer
        self._current = current
        self._clock = clock
        self._downloads = Budget(DOWNLOADS_MAX)

    @property
    def ledger(self) -> Ledger:
        """What is known now."""
        return self._current.ledger

    def now(self) -> int:
        """Seconds since the epoch."""
        return self._clock()

    def read(self, work: Callable[[Connection], T]) -> T:
        """What the database answers, in a transaction of the writer.

        Raises:
            StoreError: The database could not do it.
        """
        return self._writer.run(work).result()

    def save(self, work: Callable[[Connection], object]) -> None:
        """Commits, and then swaps the ledger, on the writer's thread.

        Raises:
            StoreError: The database could not keep it.
        """
        before = self._writer.run(lambda conn: self._save(conn, work)).result()
        self._writer.run(lambda conn: self._swap(conn, before)).result()

    def fetch(self, source: Source, version: str) -> Published | None:
        """What a source tells of a version; from any thread, nothing of it kept yet.

        Raises:
            SourceError: It cannot tell; what is forged has been noted then.
        """
        try:
            return source.manifest(version)
        except ForgedError as error:
            self._note_forged(source, version, error)
            raise

    def keep(self, source: Source, version: str, told: Published | None) -> None:
        """Keeps what `fetch` brought."""
        now = self.now()
        self.save(lambda conn: _keep(conn, source.name, version, told, now))

    def hash(self, source: Source, version: str, package: Package) -> bool:
        """Downloads a package and keeps the digest of its program.

        Returns:
            Whether it was downloaded: only so many are in an hour, and no more.

        Raises:
            SourceError: It cannot tell; what is forged has been noted then.
        """
        if not self._downloads.take(self.now()):
            return False
        try:
            artifact = source.hash_package(version, package)
        except ForgedError as error:
            self._note_forged(source, version, error)
            raise
        if artifact is not None:
            now = self.now()
            self.save(lambda conn: _keep_files(conn, (artifact,), now))
        return True

    def lacking(self, told: Published) -> list[Package]:
        """The packages whose digests are not known yet, but by a reference machine's word."""
        known_files = self.ledger.artifacts(told.release.version)
        files = [artifact for artifact in known_files if artifact.trust != "learned"]
        known = {Package(artifact.platform, artifact.form) for artifact in files}
        return [package for package in told.packages if package not in known]

    def doubted(self, source: Source) -> frozenset[str]:
        """The versions of which a source showed something forged or unsigned."""
        held = self.read(conditions.load)
        topics = (each.topic.split() for each in held if each.kind in {"forged", "unsigned"})
        return frozenset(version for _, name, version in topics if name == source.name)

    def _note_forged(self, source: Source, version: str, error: ForgedError) -> None:
        now = self.now()
        text = (
            f"The release source {source.name} shows something else of {version} than was signed:"
            f" {error}. Nothing of it was taken. Find out what stands between it and this server."
        )
        condition = Condition(_topic("forged", source.name, version), "forged", now, text)
        self._writer.run(lambda conn: conditions.note(conn, condition, now)).result()

    def _save(self, conn: Connection, work: Callable[[Connection], object]) -> Ledger:
        work(conn)
        renumber(conn, "ledger")
        return self._current.ledger

    def _swap(self, conn: Connection, before: Ledger) -> None:
        # A server that follows its database has done it already.
        if self._current.ledger is before:
            self._current.ledger = public.load_ledger(conn)


def _keep(conn: Connection, source: str, version: str, told: Published | None, now: int) -> None:
    conditions.settle(conn, _topic("forged", source, version), now)
    unsigned = _topic("unsigned", source, version)
    if told is None or not told.warnings:
        conditions.settle(conn, unsigned, now)
    if told is None:
        return
    published.save_releases(conn, source, (told.release,))
    _keep_files(conn, told.artifacts, now)
    if told.warnings:
        text = "; ".join(told.warnings)
        conditions.note(conn, Condition(unsigned, "unsigned", now, text), now)


def _keep_files(conn: Connection, stated: Iterable[Artifact], now: int) -> None:
    stated = tuple(stated)
    conflicts = published.save_artifacts(conn, stated, now)
    for conflict in conflicts:
        topic = _file_topic(conflict.stated)
        condition = Condition(topic, "republished", now, _conflict_text(conflict))
        conditions.note(conn, condition, now)
    doubted = {each.topic for each in conditions.load(conn) if each.kind == "republished"}
    if doubted:
        odd = {_file_topic(conflict.stated) for conflict in conflicts}
        for artifact in stated:
            topic = _file_topic(artifact)
            if topic in doubted - odd and published.is_undisputed(conn, artifact):
                conditions.settle(conn, topic, now)


def _topic(kind: str, source: str, version: str) -> str:
    return f"{kind} {source} {version}"


def _file_topic(artifact: Artifact) -> str:
    name = f"artifact {artifact.version} {artifact.platform or artifact.form}"
    return f"{name} {artifact.form}" if artifact.form == "bundle" else name


def _conflict_text(conflict: Conflict) -> str:
    known, stated = conflict.known, conflict.stated
    replaces = known.source == stated.source and stated.trust == "signed" != known.trust
    taken = " The signed one was taken." if replaces else ""
    return (
        f"Two digests are stated for {stated.version} on {stated.platform or 'every platform'}:"
        f" {known.source} said {known.sha256}, {stated.source} now says {stated.sha256}."
        f"{taken} A public file does not change: find out which of them was altered."
    )
