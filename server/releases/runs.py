"""The history of one pointer: runs of readings that said the same, oldest first. Pure.

A run is in force from its first reading until the first reading of the next one, so every
question has one answer at every second. Two rows of one version in a row are no move.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

from server.releases.versions import is_newer

LATE_S = 3_600
"""A pointer that was read so much earlier than another one of its channel is given up, in
seconds."""

GONE_S = 7 * 86_400
"""The same where it is the one that a copy's own updater follows: it is shown no longer."""


class Run(Protocol):
    """A reading with its duration (`server.releases.ledger.Reading`)."""

    @property
    def source(self) -> str:
        """Who said so."""
        ...

    @property
    def channel(self) -> str:
        """The pointer's name."""
        ...

    @property
    def version(self) -> str:
        """What it pointed to."""
        ...

    @property
    def first_seen(self) -> int:
        """First reading, seconds since the epoch."""
        ...

    @property
    def last_seen(self) -> int:
        """Latest reading that said the same."""
        ...


R = TypeVar("R", bound=Run)


@dataclass(frozen=True, slots=True)
class Move:
    """A pointer that was moved.

    Attributes:
        before: What it pointed to.
        after: What it points to from then on.
        at: The first reading that said so.
    """

    before: str
    after: str
    at: int


def by_pointer(readings: Iterable[R]) -> dict[tuple[str, str], list[R]]:
    """Readings, in any order, by (source, channel)."""
    found: dict[tuple[str, str], list[R]] = defaultdict(list)
    for item in sorted(readings, key=lambda item: (item.first_seen, item.last_seen, item.version)):
        found[item.source, item.channel].append(item)
    return dict(found)


def at(runs: Sequence[R], moment: int) -> R | None:
    """The run in force at a moment; None before the first reading."""
    return next((run for run in reversed(runs) if run.first_seen <= moment), None)


def moves(runs: Sequence[Run]) -> Iterator[Move]:
    """What replaced what, and when, oldest first."""
    return (
        Move(old.version, new.version, new.first_seen)
        for old, new in pairwise(runs)
        if old.version != new.version
    )


def moved_away(version: str, runs: Sequence[Run]) -> int | None:
    """When a pointer last left a version that it was read to point to."""
    return max((move.at for move in moves(runs) if move.before == version), default=None)


def replaced(version: str, runs: Sequence[Run]) -> int | None:
    """The first reading of the move away from a version, if the readings saw it."""
    moved = moved_away(version, runs)
    if moved is not None:
        return moved
    if is_newer(runs[0].version, version):
        return None  # replaced before the first reading
    # Skipped between two readings: the first reading of anything newer replaced it.
    return next((run.first_seen for run in runs if is_newer(run.version, version)), None)


def moved_back(version: str, runs: Sequence[Run]) -> int | None:
    """When a pointer left a version that it has since been moved back from, or back past.

    None where the present head is not older, and where no reading ever showed as much.
    """
    if not is_newer(version, runs[-1].version):
        return None
    moved = moved_away(version, runs)
    if moved is not None:
        return moved
    # It came and went between two readings: the pointer was seen beyond it, and is not now.
    past = (move.at for move in moves(runs) if is_newer(move.before, version))
    return max(past, default=None)


def ranked(heads: Collection[R], wanted: str | None) -> list[R]:
    """The heads of one channel, the deciding one first.

    That is the one of the wanted source; else one that is still read, and of those always the
    same.

    Args:
        heads: By source.
        wanted: The source that a copy's own updater follows; None if it has none.
    """
    return sorted(
        heads,
        key=lambda head: (
            head.source != wanted or is_left(head, heads, GONE_S),
            is_left(head, heads, LATE_S),
        ),
    )


def is_left(head: Run, heads: Iterable[Run], after_s: int) -> bool:
    """Whether a head was last read so many seconds before another one of its channel."""
    return head.last_seen < max(other.last_seen for other in heads) - after_s


def differ_since(runs: Sequence[Run], others: Sequence[Run]) -> int | None:
    """Since when two pointers have shown different versions; None while they agree."""
    if runs[-1].version == others[-1].version:
        return None
    moments = sorted({run.first_seen for run in (*runs, *others)}, reverse=True)
    since = None
    for moment in moments:
        one, other = at(runs, moment), at(others, moment)
        if one is None or other is None or one.version == other.version:
            break
        since = moment
    return since
