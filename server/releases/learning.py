"""Digests learned before a laptop asks: of the heads at once, of the last month bit by bit.

So the server is an authority also for versions that nobody reported, and a laptop that comes
back from leave is known at once. It is done politely: a few manifests at a time, one after the
other, none from a source that fails or pauses, and what failed again only after an hour. What
was unsigned or forged when it was read is read again likewise. Applications for macOS, whose
digests only downloading tells, are fetched for the heads alone, once each.

A command that refreshes a cold server has somebody waiting: it reads manifests in parallel,
in so many threads, and leaves the downloads to the server.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import structlog

from server.errors import SourceError
from server.releases.asking import Asker
from server.releases.reach import Reach
from server.releases.sources.interface import NoWordError, Package, Published, Source

LEARNED_S = 30 * 24 * 3_600
"""How old the releases are that are learned without being asked for, in seconds."""

STEP_MAX = 4
"""Most manifests read of one source in one step."""

AGAIN_S = 3_600
"""When something is tried again that could not be learned, in seconds."""

THREADS = 8
"""How many manifests a refresh reads at a time."""

_Key = tuple[str, str]  # (source, version)

_log = structlog.stdlib.get_logger("server.syncer")


class Learner:
    """Learns what is public before it is asked for.

    Args:
        sources: Those to learn from.
        reach: Which of them may be asked.
        asker: Asks them, and keeps what they say.
    """

    def __init__(self, sources: Collection[Source], reach: Reach, asker: Asker) -> None:
        self._sources = sources
        self._reach = reach
        self._asker = asker
        self._tried: dict[_Key, int] = {}
        self._owed: dict[_Key, list[Package]] = {}

    def heads(self, source: Source) -> None:
        """Learns the digests of the heads that a source was just read to show.

        Raises:
            StoreError: The database could not keep what was read.
        """
        if not self._reach.answers(source):
            return
        shown = self._heads(source)
        self._owed = {
            key: owed
            for key, owed in self._owed.items()
            if key[0] != source.name or key[1] in shown
        }
        for version in sorted(shown):
            # Once in each life of the server: a former one may have left packages to download.
            if (source.name, version) in self._owed and self._knows(source, version):
                continue
            told = self._learn(source, version)
            if isinstance(told, Published):
                self._owed[source.name, version] = [
                    package
                    for package in self._asker.lacking(told)
                    if package.platform is None or package.form == "bundle"
                ]

    def step(self) -> None:
        """Learns a few manifests of each source, and downloads a package if a head lacks one.

        Raises:
            StoreError: The database could not keep what was read.
        """
        now = self._asker.now()
        self._tried = {key: at for key, at in self._tried.items() if now < at + AGAIN_S}
        for source in self._sources:
            wanted = self._wanted(source, now - LEARNED_S)
            for version in [each for each in wanted if (source.name, each) not in self._tried][
                :STEP_MAX
            ]:
                self._tried[source.name, version] = now
                if isinstance(self._learn(source, version), SourceError):
                    break
            self._download(source)

    def refresh(self, since: int) -> None:
        """Learns every head and every release from a moment on, in parallel.

        Raises:
            StoreError: The database could not keep what was read.
        """
        wanted = [
            (source, version) for source in self._sources for version in self._wanted(source, since)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            found = pool.map(lambda pair: self._fetch(*pair), wanted)
            for (source, version), told in zip(wanted, found, strict=True):
                if not isinstance(told, SourceError):
                    self._asker.keep(source, version, told)

    def _wanted(self, source: Source, since: int) -> list[str]:
        """What a source has not told of the heads and of recent releases, newest first."""
        if not self._reach.answers(source):
            return []
        doubted = self._asker.doubted(source)
        recent = [
            each.version
            for each in self._asker.ledger.published_since(since)
            if each.withdrawn_at is None
        ]
        heads = sorted(self._heads(source) - set(recent))
        older = sorted(doubted - set(recent) - set(heads))
        return [
            version
            for version in (*recent, *heads, *older)
            if version in doubted or not self._knows(source, version)
        ]

    def _heads(self, source: Source) -> frozenset[str]:
        heads = self._asker.ledger.heads()
        return frozenset(head.version for head in heads if head.source == source.name)

    def _knows(self, source: Source, version: str) -> bool:
        return any(
            known.source == source.name and known.form != "bundle"
            for known in self._asker.ledger.artifacts(version)
        )

    def _learn(self, source: Source, version: str) -> Published | SourceError | None:
        told = self._fetch(source, version)
        if not isinstance(told, SourceError):
            self._asker.keep(source, version, told)
        return told

    def _fetch(self, source: Source, version: str) -> Published | SourceError | None:
        try:
            return self._asker.fetch(source, version)
        except NoWordError:
            return None
        except SourceError as error:
            if error.retry_after_s is not None:
                self._reach.pause(source, error)
            _log.warning("not_learned", source=source.name, version=version, error=str(error))
            return error

    def _download(self, source: Source) -> None:
        """Downloads one package that a head of a source still lacks, if there is one."""
        now = self._asker.now()
        due = (
            (key, package)
            for key, owed in list(self._owed.items())
            for package in list(owed)
            if key[0] == source.name and (source.name, _place(key[1], package)) not in self._tried
        )
        (name, version), package = next(due, (("", ""), None))
        if package is None or not self._reach.answers(source):
            return
        self._tried[name, _place(version, package)] = now
        try:
            if self._asker.hash(source, version, package):
                left = [each for each in self._owed.get((name, version), ()) if each != package]
                self._owed[name, version] = left
        except SourceError as error:
            if error.retry_after_s is not None:
                self._reach.pause(source, error)
            _log.warning("not_learned", source=name, version=version, error=str(error))


def _place(version: str, package: Package) -> str:
    return f"{version} {package.platform} {package.form}"
