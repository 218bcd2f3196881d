"""What each source said was public, and when: values and the questions asked of them. Pure.

A `Ledger` is one frozen view of the tables that ``store`` keeps. It answers three
questions: what does a channel point to, what are these bytes, and when did a version
cease to be the head. All times are whole seconds since the Unix epoch, UTC.

When a version ceased to be the head is its *first reading elsewhere*. For moves before
the first reading there is only an estimate, and it says so: the publish time of the next
version, lowered to the earliest time of any later version and raised to its build date,
because the registry stamps old versions with later times (facts 2.8).
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from packaging.version import InvalidVersion, Version

from agent.wire import Form

Trust = Literal["signed", "registry", "stated", "learned"]
Outcome = Literal["waiting", "found", "absent", "failed"]

SOURCE_OF_METHOD: Mapping[str, str] = {"native": "bucket", "npm": "npm"}
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
        withdrawn_at: When a source was first seen to list it no longer; None while one does.
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
        outcome: ``waiting`` until the first answer, then the last answer.
        reason: Why it failed, or which source says that there is none.
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


@functools.lru_cache(maxsize=8192)
def order(version: str) -> Version | None:
    """A version as something to compare; None if it is no version number."""
    try:
        return Version(version)
    except InvalidVersion:
        return None


def is_newer(version: str, than: str) -> bool:
    """Whether one version number is above another; False if either is no number."""
    left, right = order(version), order(than)
    return left is not None and right is not None and left > right


class Ledger:
    """One frozen view of everything read so far.

    Args:
        readings: In any order.
        releases: Every version that a source lists.
        artifacts: Every known file; for equal bytes the first one is told.
        lookups: By version, at most one each.
    """

    def __init__(
        self,
        readings: Iterable[Reading] = (),
        releases: Iterable[Release] = (),
        artifacts: Iterable[Artifact] = (),
        lookups: Iterable[Lookup] = (),
    ) -> None:
        self._runs = _by_pointer(readings)
        self._releases = {release.version: release for release in releases}
        self._by_sha: dict[str, Artifact] = {}
        self._by_version: dict[str, list[Artifact]] = defaultdict(list)
        for artifact in artifacts:
            self._by_sha.setdefault(artifact.sha256, artifact)
            self._by_version[artifact.version].append(artifact)
        self._lookups = {lookup.version: lookup for lookup in lookups}
        self._published = _monotone(self._releases.values())

    def artifact(self, sha256: str) -> Artifact | None:
        """The public file that has exactly these bytes."""
        return self._by_sha.get(sha256)

    def artifacts(self, version: str) -> Sequence[Artifact]:
        """All known files of a version."""
        return tuple(self._by_version.get(version, ()))

    def release(self, version: str) -> Release | None:
        """A version that some source lists."""
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
            runs[-1]
            for (_, name), runs in sorted(self._runs.items())
            if channel is None or name == channel
        )

    def heads_for(self, method: str, channel: str, now: int) -> tuple[Reading, ...]:
        """The heads that a copy may have, the deciding one first.

        A copy is judged by the source that its own updater follows; where that source
        shows no such channel, by the others. While sources differ, either head counts for
        a while (`differ_until`).
        """
        heads = self.heads(channel)
        wanted = SOURCE_OF_METHOD.get(method)
        # A source read later wins only where the updater's own source shows nothing.
        ranked = sorted(heads, key=lambda head: (head.source != wanted, -head.last_seen))
        if not ranked:
            return ()
        first, *others = ranked
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
        runs = self._runs[deciding.source, deciding.channel]
        left = _replaced_in_readings(other.version, runs)
        # Left before the first reading, or not reached yet: the other's move alone tells.
        since = max(other.first_seen, runs[0].first_seen if left is None else left)
        return since + SOURCES_DIFFER_S

    def replaced(self, version: str, head: Reading) -> Replaced | None:
        """When a version ceased to be the head of the pointer that now shows `head`.

        None while it is the head, and where nothing tells when it was replaced.
        """
        runs = self._runs.get((head.source, head.channel), [])
        if version == head.version or not runs:
            return None
        seen = _replaced_in_readings(version, runs)
        return Replaced(seen, estimated=False) if seen is not None else self._estimate(version)

    def left(self, version: str, head: Reading) -> Replaced | None:
        """When the pointer that now shows `head` was moved away from a version.

        None for a version that it was never seen to point to, or still does.
        """
        runs = self._runs.get((head.source, head.channel), [])
        at = _moved_away(version, runs) if version != head.version else None
        return Replaced(at, estimated=False) if at is not None else None

    def _estimate(self, version: str) -> Replaced | None:
        own = order(version)
        if own is None:
            return None
        # The first later version with a known time: versions ascend in `_published`.
        at = next((at for number, at in self._published if number > own), None)
        return None if at is None else Replaced(at, estimated=True)


def _by_pointer(readings: Iterable[Reading]) -> dict[tuple[str, str], list[Reading]]:
    runs: dict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in sorted(readings, key=lambda item: (item.first_seen, item.last_seen)):
        runs[reading.source, reading.channel].append(reading)
    return dict(runs)


def _replaced_in_readings(version: str, runs: Sequence[Reading]) -> int | None:
    """The first reading of the move away from a version, if the readings saw it."""
    moved = _moved_away(version, runs)
    if moved is not None:
        return moved
    if is_newer(runs[0].version, version):
        return None  # replaced before the first reading
    # Skipped between two readings: the first reading of anything newer replaced it.
    return next((run.first_seen for run in runs if is_newer(run.version, version)), None)


def _moved_away(version: str, runs: Sequence[Reading]) -> int | None:
    """When a pointer last left a version that it was read to point to."""
    moves = (
        later.first_seen
        for earlier, later in pairwise(runs)
        if earlier.version == version != later.version
    )
    return max(moves, default=None)


def _monotone(releases: Iterable[Release]) -> list[tuple[Version, int]]:
    """(version, publish time), ascending, each time at most that of any later version.

    A version's build date bounds its time from below: it was not public before it was built.
    """
    dated = sorted(
        ((number, release) for release in releases if (number := order(release.version))),
        key=lambda pair: pair[0],
    )
    times: list[tuple[Version, int]] = []
    earliest: int | None = None
    for number, release in reversed(dated):
        known = [at for at in (release.published_at, earliest) if at is not None]
        earliest = min(known, default=release.build_date)
        if earliest is not None:
            times.append((number, max(earliest, release.build_date or 0)))
    return times[::-1]
