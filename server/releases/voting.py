"""Look-ups answered: every source has a vote, and only those are asked that may know more.

What a list has is asked about. What no list has costs a source that keeps one nothing, and one
that keeps none is asked about it seldom: above the heads not at all, since users cannot have
it, below them only so often in an hour. So whatever laptops invent, the sources hardly notice.
"""

from collections.abc import Collection, Iterable, Mapping

import structlog
from sqlalchemy import Connection

from server.errors import SourceError
from server.releases.answers import Answer, Vote, fold, unanswered
from server.releases.asking import Asker
from server.releases.identify import ABSENT_KEPT_S
from server.releases.ledger import Lookup
from server.releases.manifest import is_release_number
from server.releases.pauses import PROBES_MAX, Budget
from server.releases.reach import Reach
from server.releases.sources.interface import NoWordError, Package, Published, Source
from server.releases.versions import is_newer
from server.store import public, published

ASKED_MAX = 64
"""Most look-ups answered at a time for which a source must be asked; the rest come next."""

_log = structlog.stdlib.get_logger("server.syncer")


class Voter:
    """Answers look-ups.

    Args:
        sources: Those that have a vote.
        reach: Which of them may be asked.
        asker: Asks them, and keeps what they say.
    """

    def __init__(self, sources: Collection[Source], reach: Reach, asker: Asker) -> None:
        self._sources = sources
        self._reach = reach
        self._asker = asker
        self._probes = Budget(PROBES_MAX)

    def answer(self, asked: Iterable[Lookup]) -> None:
        """Answers look-ups; those that cost no request in one transaction.

        Raises:
            StoreError: The database could not keep what was found.
        """
        free: dict[str, Answer | None] = {}
        costly = 0
        for lookup in asked:
            if costly == ASKED_MAX:
                break
            if self._stands(lookup):
                free[lookup.version] = None
                continue
            votes = [self._free_vote(source, lookup.version) for source in self._sources]
            told = [
                vote or self._ask(source, lookup.version)
                for source, vote in zip(self._sources, votes, strict=True)
            ]
            free[lookup.version] = fold(told, self._asker.ledger.lookup(lookup.version))
            if None in votes:
                costly += 1
                self._keep(free)
                free = {}
        self._keep(free)

    def _stands(self, lookup: Lookup) -> bool:
        """Whether only the heads were to be read again: its answer is not due yet."""
        if lookup.outcome != "found" or lookup.answered_at is None:
            return False
        return self._asker.now() < lookup.answered_at + ABSENT_KEPT_S

    def _free_vote(self, source: Source, version: str) -> Vote | None:
        """A source's word as far as it costs no request; None if it must be asked."""
        if not self._reach.answers(source):
            return self._unanswered(source)
        ledger = self._asker.ledger
        heads = [head.version for head in ledger.heads()]
        if ledger.release(version) is not None or version in heads:
            return None
        if source.keeps_list:
            return Vote(source.name, "absent")
        return self._unlisted(source, version, heads)

    def _unlisted(self, source: Source, version: str, heads: Iterable[str]) -> Vote | None:
        """The word of a source without a list on a number that no list has."""
        if not is_release_number(version):
            return Vote(source.name, "mute", "it is asked for plain release numbers only")
        is_listable = any(each.keeps_list and self._reach.answers(each) for each in self._sources)
        if is_listable and all(is_newer(version, head) for head in heads):
            return Vote(source.name, "mute", "it is not asked about numbers above every head")
        if self._probes.take(self._asker.now()):
            return None
        reason = f"its turn waits: {PROBES_MAX} numbers that no list has are asked about in an hour"
        return Vote(source.name, "failed", reason)

    def _unanswered(self, source: Source) -> Vote:
        healths = self._asker.read(public.health)
        health = next((item for item in healths if item.source == source.name), None)
        read_at, error = (health.read_at, health.error) if health else (None, None)
        return unanswered(source.name, read_at, error, self._asker.now())

    def _ask(self, source: Source, version: str) -> Vote:
        try:
            told = self._asker.fetch(source, version)
            self._asker.keep(source, version, told)
            if told is None:
                return Vote(source.name, "absent")
            return self._hash_packages(source, told)
        except NoWordError as error:
            return Vote(source.name, "mute", str(error))
        except SourceError as error:
            if error.retry_after_s is not None:
                self._reach.pause(source, error)
            return Vote(source.name, "failed", str(error))

    def _hash_packages(self, source: Source, told: Published) -> Vote:
        version = told.release.version
        for package in self._lacking(told):
            if not self._asker.hash(source, version, package):
                reason = "its package waits: so many are downloaded in an hour, and no more"
                return Vote(source.name, "failed", reason)
        return Vote(source.name, "found")

    def _lacking(self, told: Published) -> list[Package]:
        """The packages to download: those of one platform only if a laptop reported it."""
        lacking = self._asker.lacking(told)
        if not lacking:
            return []
        version = told.release.version
        seen = self._asker.read(lambda conn: published.packages_seen(conn, version))
        return [
            package
            for package in lacking
            if package.platform is None or (package.platform, package.form) in seen
        ]

    def _keep(self, answers: Mapping[str, Answer | None]) -> None:
        if not answers:
            return
        now = self._asker.now()

        def work(conn: Connection) -> None:
            for version, answer in answers.items():
                if answer is None:
                    public.confirm(conn, version)
                else:
                    public.answer(conn, version, answer.outcome, answer.reason, now)

        self._asker.save(work)
        for version, answer in answers.items():
            if answer is not None:
                _log.info(
                    "looked_up", version=version, outcome=answer.outcome, reason=answer.reason
                )
