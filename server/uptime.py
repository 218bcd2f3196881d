"""When this server listened: silence counts only while somebody could have heard. Pure.

A server that was stopped for days, or asleep, heard nothing of any laptop. It notes again and
again that it listens; where two notes lie too far apart, nobody listened between them, and
that time is added to how long a machine may say nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

NOTED_EVERY_S = 60
"""Seconds between two notes that the server listens."""

GAP_S = 180
"""Two notes further apart than this, in seconds, have time between them that nobody listened."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which the server listened without a gap.

    Attributes:
        began_at: The first note.
        last_at: The latest one.
    """

    began_at: int
    last_at: int


def unheard_s(spans: Sequence[Span], since: int, now: int) -> int:
    """Seconds after a moment in which nobody listened.

    Args:
        spans: All that are remembered, oldest first.
        since: The moment.
        now: Whole seconds since the epoch.

    Returns:
        Time before the first span counts as listened to: nothing is known of it. So does the
        time from the latest note on, up to `GAP_S`.
    """
    # Most machines spoke after the latest gap.
    later = () if not spans or spans[-1].began_at <= since else spans
    gaps = [(before.last_at, after.began_at) for before, after in pairwise(later)]
    if spans and now - spans[-1].last_at > GAP_S:
        gaps.append((spans[-1].last_at, now))
    return sum(max(0, min(end, now) - max(begin, since)) for begin, end in gaps)
