"""How long a pointer may stand still before that is unlikely by its own past. Pure.

A mirror that stopped, or somebody who holds releases back, looks like a quiet week. What is
quiet is learnt from the intervals between a pointer's moves; their spread is wide and long-
tailed (facts 2.8: median 23 h, one in ten over 67 to 71 h, the longest of a quarter 4 to 10
days), so a mean with a deviation says little. The limit is

    three times the 90th percentile of the last 60 intervals,
    at least the longest of them, at least 4 days, at most 30 days.

By the figures of facts 2.8 that is 8 to 9 days. Played over the publish times of the registry
it lies between 6 and 10 days in 2026, and one pause would have alarmed: the 9.9 days of July,
the longest. What was lived through once is no longer unlikely, but only for 60 intervals and
never beyond 30 days, so that a long freeze cannot excuse the next for ever.

With fewer than 8 intervals the past says nothing; then a stated default holds.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil

DAY_S = 24 * 3_600

RECENT = 60
"""How many intervals are looked at: the last ones."""

ENOUGH = 8
"""Fewer intervals than these say nothing."""

SHORTEST_S = 4 * DAY_S
"""Nothing shorter is ever unlikely, in seconds: weekends and holidays."""

LONGEST_S = 30 * DAY_S
"""Anything longer is always unlikely, in seconds."""

DEFAULTS_S: Mapping[str, int] = {"latest": 10 * DAY_S, "stable": 30 * DAY_S}
"""Limits by channel for a pointer without a past: above the longest gap seen of ``latest``
(9.9 days), and twice the longest lag seen of ``stable`` (15 days; facts 2.8)."""

_TIMES = 3
_PERCENT = 90


def limit_s(channel: str, intervals: Sequence[int]) -> int | None:
    """How long a pointer may stand still, in seconds; None where nothing tells.

    Args:
        channel: Its name, for the default.
        intervals: Between its moves, in seconds, the newest last.
    """
    recent = sorted(intervals[-RECENT:])
    if len(recent) < ENOUGH:
        return DEFAULTS_S.get(channel)
    high = recent[ceil(len(recent) * _PERCENT / 100) - 1]
    return min(LONGEST_S, max(SHORTEST_S, _TIMES * high, recent[-1]))


def intervals(moments: Sequence[int]) -> tuple[int, ...]:
    """The times between ascending moments, in seconds.

    Moments that are not later than one before them are passed over: they are stamps of old
    versions that were brought into order (`versions.monotone`).
    """
    rising: list[int] = []
    for moment in moments:
        if not rising or moment > rising[-1]:
            rising.append(moment)
    return tuple(later - earlier for earlier, later in pairwise(rising))
