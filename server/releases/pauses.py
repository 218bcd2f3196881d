"""When a source may be asked again, and how much may still be asked of it."""

from collections import deque

FIRST_S = 60
"""Pause after a first failure, in seconds; each further one doubles it."""

LONGEST_S = 900
"""Longest pause that is not asked for by the source itself, in seconds."""

DOWNLOADS_MAX = 4
"""Most packages downloaded in `WINDOW_S`."""

PROBES_MAX = 30
"""Most numbers that no list has and a source without one is asked about in `WINDOW_S`."""

WINDOW_S = 3_600
"""The window of a budget, in seconds."""


class Pause:
    """The back-off of one source."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0

    def is_over(self, now: int) -> bool:
        """Whether the source may be asked at `now` (seconds since the epoch)."""
        return now >= self._until

    def failed(self, now: int, retry_after_s: float | None) -> None:
        """Notes a failure; a wait that the source asks for is obeyed."""
        self._failures += 1
        own = min(FIRST_S * 2 ** min(self._failures - 1, 10), LONGEST_S)
        self._until = now + max(own, round(retry_after_s or 0))

    def succeeded(self) -> None:
        """Notes an answer."""
        self._failures = 0
        self._until = 0


class Budget:
    """So many in any `WINDOW_S`, and no more.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: deque[int] = deque()

    def take(self, now: int) -> bool:
        """Takes one out of the budget, if there is one left at `now`."""
        while self._taken and self._taken[0] <= now - WINDOW_S:
            self._taken.popleft()
        if len(self._taken) >= self._most:
            return False
        self._taken.append(now)
        return True
