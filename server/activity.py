"""Use of builds as it is summed: by day, group, surface and build; of no machine. Pure.

Days are the server's: a laptop that was offline tells late, but none tells of tomorrow.
Surfaces are words of laptops; those that are not known here are one, ``other``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.wire import Activity
from server.policy import surface_of

DAY_S = 86_400

DAYS_BACK = 35
"""How many days late a laptop may tell; what is older counts for the earliest of them."""

NOT_EXAMINED = ""
"""The build of what was not examined, and of what did not fit."""

BACKGROUND = "background"
"""The surface of what goes on without a window: no surface of a policy, but of users too."""

OTHER = "other"
"""Every surface that is not known here."""

Key = tuple[int, str, str, str]
"""Day, group, surface, build."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one group did with one build from one surface on one day.

    Attributes:
        day: UTC day, counted from the epoch.
        group: The group.
        surface: As a policy names it, `BACKGROUND` or `OTHER`.
        build: SHA-256 of the bytes, or `NOT_EXAMINED`.
        seconds: That sessions ran; sessions side by side add up.
        starts: Sessions that began.
    """

    day: int
    group: str
    surface: str
    build: str
    seconds: int
    starts: int


def summed(
    told: Iterable[tuple[str, Iterable[Activity]]], now: int
) -> Mapping[Key, tuple[int, int]]:
    """Seconds and starts of what machines tell.

    Args:
        told: The group of each machine with what it tells.
        now: The server's clock.
    """
    seconds, starts = Counter[Key](), Counter[Key]()
    today = now // DAY_S
    for group, items in told:
        for item in items:
            day = min(max(item.day, today - DAYS_BACK), today)
            key = (day, group, _surface(item.surface), item.build or NOT_EXAMINED)
            seconds[key] += item.seconds
            starts[key] += item.starts
    return {key: (seconds[key], starts[key]) for key in seconds}


def _surface(told: str) -> str:
    return BACKGROUND if told == BACKGROUND else surface_of(told) or OTHER
