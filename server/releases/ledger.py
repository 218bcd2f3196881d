"""What each source said was public, and when: values and the questions asked of them. Pure.

A `Ledger` is one frozen view of the tables that ``store`` keeps. It answers three questions:
what does a channel point to, what are these bytes, when did a version cease to be the head.

When a version ceased to be the head is its *first reading elsewhere*. For moves before
the first reading there is only an estimate, and it says so: the publish time of the next
version, lowered to the earliest time of any later version and raised to its build date,
because the registry stamps old versions with later times (facts 2.8); and never later than
the first reading, which showed it replaced.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from packaging.version import Version

from agent.wire import Form
from server.releases import runs
from server.releases.versions import monotone, next_after, order

Trust = Literal["signed", "registry", "stated", "learned"]
TRUSTS: tuple[Trust, ...] = get_args(Trust)
"""How digests were established, the best first."""

Outcome = Literal["waiting", "found", "absent", "failed"]

SOURCE_OF_METHOD: Mapping[str, str] = {
    "native": "bucket",
    **dict.fromkeys(("npm", "pnpm", "bun", "yarn", "legacy_local", "winget"), "npm"),
}
"""The source that a method's own updater follows (facts 2.7)."""

LAST_JS_VERSION = "2.1.112"
"""The last version whose npm package is JavaScript, with other bytes than the native one
of the same number (facts 0.3)."""

SOURCES_DIFFER_S = 6 * 3600
"""While sources differ, either head counts for so long, in seconds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One source saying that a channel points to a version, from first to last time.

    Attributes:
        source: ``npm`` or ``bucket``.
        channel: ``latest``, ``stable``, ...
        version: What it pointed to.
        first_seen: First reading of this run.
        last_seen: Latest reading that said the same.
    """

    source: str
    channel: str
    version: str
    first_seen: int
    last_seen: int


@dataclass(frozen=True, slots=True)
class Release:
    """A version that a source lists as public.

    Attributes:
        version: Its number.
        published_at: As the registry states it; unreliable for old versions.
        build_date: From its manifest: never later than publication.
        commit: From its manifest, 40 hex digits.
        harness_schema: From its manifest: what a desktop app or SDK has to speak to it.
        tested_wrappers: From its manifest: the SDK versions that it was tested with.
        withdrawn_at: When a source that had listed it was first seen to list it no longer; None
            while every such source does.
    """

    version: str
    published_at: int | None = None
    build_date: int | None = None
    commit: str | None = None
    harness_schema: int | None = None
    tested_wrappers: tuple[str, ...] = ()
    withdrawn_at: int | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """One public file of a release.

    Attributes:
        version: Of the release.
        platform: ``linux-x64``, ...; None for ``js``, which has one file for all.
        form: ``binary``, ``js`` or ``bundle``.
        sha256: 64 hex digits.
        size: Bytes; None where the source does not say.
        trust: How the digest was established.
        source: Which source said so.
    """

    version: str
    platform: str | None
    form: Form
    sha256: str
    size: int | None
    trust: Trust
    source: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """The background look-up of a version that a laptop reported.

    Attributes:
        version: The number asked for.
        asked_at: When it was last asked.
        first_asked_at: When it was first asked; None where that is `asked_at`.
        answered_at: When it was last answered; None before the first answer.
        outcome: ``waiting`` until the first answer, then the last one.
        reason: Why it failed, or who says that there is none.
    """

    version: str
    asked_at: int
    answered_at: int | None
    outcome: Outcome
    reason: str | None = None
    first_asked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """When a version ceased to be the head of its channel.

    Attributes:
        at: The moment.
        estimated: It lies before the ledger's first reading.
    """

    at: int
    estimated: bool


class Ledger:
    """One frozen view of everything read so far, in whatever order it is given.

    Of several artifacts with equal bytes the best established one is told.
    """

    def __init__(
        self,
        readings: Iterable[Reading] = (),
        releases: Iterable[Release] = (),
        artifacts: Iterable[Artifact] = (),
        lookups: Iterable[Lookup] = (),
    ) -> None:
        self._runs = runs.by_pointer(readings)
        self._releases = {release.version: release for release in releases}
        self._by_sha: dict[str, Artifact] = {}
        self._by_version: dict[str, list[Artifact]] = defaultdict(list)
        for artifact in sorted(artifacts, key=lambda item: TRUSTS.index(item.trust)):
            self._by_sha.setdefault(artifact.sha256, artifact)
            self._by_version[artifact.version].append(artifact)
        self._lookups = {lookup.version: lookup for lookup in lookups}
        self._published = monotone(
            (item.version, item.published_at, item.build_date) for item in self._releases.values()
        )

    def artifact(self, sha256: str) -> Artifact | None:
        """The public file that has exactly these bytes."""
        return self._by_sha.get(sha256)

    def artifacts(self, version: str) -> Sequence[Artifact]:
        """All known files of a version, the best established first."""
        return tuple(self._by_version.get(version, ()))

    def release(self, version: str) -> Release | None:
        """A version that some source lists, or once listed."""
        return self._releases.get(version)

    def releases(self) -> Iterator[Release]:
        """Every listed version, newest first."""
        known = (item for item in self._releases.values() if order(item.version) is not None)
        return iter(sorted(known, key=lambda item: Version(item.version), reverse=True))

    def files(self) -> frozenset[Artifact]:
        """Every known file, of every source."""
        return frozenset(item for items in self._by_version.values() for item in items)

    def lookups(self) -> Iterator[Lookup]:
        """Every look-up that was ever asked for."""
        return iter(self._lookups.values())

    def lookup(self, version: str) -> Lookup | None:
        """The look-up of a reported version, if one was asked for."""
        return self._lookups.get(version)

    def heads(self, channel: str | None = None) -> tuple[Reading, ...]:
        """The latest reading of every pointer, by source; of one channel or of all."""
        return tuple(
            own[-1]
            for (_, name), own in sorted(self._runs.items())
            if channel is None or name == channel
        )

    def head_at(self, channel: str, at: int, source: str | None = None) -> tuple[Reading, ...]:
        """What was public at a moment: each pointer's reading in force then, by source.

        A reading is in force until the next one says otherwise; its `last_seen` tells how far
        it was confirmed. Before its first reading a source is left out.
        """
        found = (
            runs.at(own, at)
            for (name, pointer), own in sorted(self._runs.items())
            if pointer == channel and source in {None, name}
        )
        return tuple(reading for reading in found if reading is not None)

    def readings(self, source: str, channel: str) -> Sequence[Reading]:
        """Everything read of one pointer, oldest first; nothing if it was never read."""
        return tuple(self._runs.get((source, channel), ()))

    def moves(self, source: str, channel: str) -> tuple[runs.Move, ...]:
        """What replaced what at one pointer, and when, oldest first."""
        return tuple(runs.moves(self._runs.get((source, channel), ())))

    def published(self) -> tuple[tuple[Version, int], ...]:
        """When each version was published, by ascending version (`versions.monotone`)."""
        return self._published

    def published_since(self, moment: int) -> tuple[Release, ...]:
        """The releases that were published at a moment or later, newest first."""
        times = dict(self._published)
        return tuple(
            item for item in self.releases() if times.get(Version(item.version), -1) >= moment
        )

    def heads_for(self, method: str, channel: str, now: int) -> tuple[Reading, ...]:
        """The heads that a copy may have, the deciding one first.

        A copy is judged by the source that its own updater follows; where that source
        shows no such channel, by the others. While sources differ, either head counts for
        a while (`differ_until`).
        """
        heads = self.heads(channel)
        wanted = SOURCE_OF_METHOD.get(method)
        if not heads:
            return ()
        first, *others = runs.ranked(heads, wanted)
        return (
            first,
            *(
                head
                for head in others
                if head.version == first.version or now < self.differ_until(first, head)
            ),
        )

    def differ_until(self, deciding: Reading, other: Reading) -> int:
        """Until when the head of another source counts beside the deciding one.

        `SOURCES_DIFFER_S` from the later of two moves: that of the other source to its head,
        and that of the deciding source away from it. Where the deciding source moves on once
        more, a build that it has left for long is not the head again.
        """
        own = self._runs[deciding.source, deciding.channel]
        left = runs.replaced(other.version, own)
        # Left before the first reading, or not reached yet: the other's move alone tells.
        since = max(other.first_seen, own[0].first_seen if left is None else left)
        return since + SOURCES_DIFFER_S

    def replaced(self, version: str, head: Reading) -> Replaced | None:
        """When a version ceased to be the head of the pointer that now shows `head`.

        None while it is the head, and where nothing tells when it was replaced.
        """
        own = self._runs.get((head.source, head.channel), [])
        if version == head.version or not own:
            return None
        seen = runs.replaced(version, own)
        if seen is not None:
            return Replaced(seen, estimated=False)
        at = next_after(version, self._published)
        # It had been replaced at the first reading, whatever a registry stamps later.
        return None if at is None else Replaced(min(at, own[0].first_seen), estimated=True)

    def left(self, version: str, head: Reading) -> Replaced | None:
        """When a channel was moved back from a version, or past it, to an older one.

        The pointer that now shows `head` is asked first, then those of the other sources;
        None where none of them was.
        """
        heads = sorted(self.heads(head.channel), key=lambda each: each.source != head.source)
        found = (runs.moved_back(version, self._runs[each.source, each.channel]) for each in heads)
        at = next((at for at in found if at is not None), None)
        return None if at is None else Replaced(at, estimated=False)
