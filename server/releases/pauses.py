"""When a source may be asked again, and how many packages may still be downloaded."""

from collections import deque

FIRST_S = 60
"""Pause after a first failure, in seconds; each further one doubles it."""

LONGEST_S = 900
"""Longest pause that is not asked for by the source itself, in seconds."""

DOWNLOADS_MAX = 4
"""Most packages downloaded in `DOWNLOADS_WINDOW_S`."""

DOWNLOADS_WINDOW_S = 3_600
"""The window of that limit, in seconds."""


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


class Downloads:
    """The budget of package downloads."""

    def __init__(self) -> None:
        self._began: deque[int] = deque()

    def take(self, now: int) -> bool:
        """Takes one download out of the budget, if there is one left at `now`."""
        while self._began and self._began[0] <= now - DOWNLOADS_WINDOW_S:
            self._began.popleft()
        if len(self._began) >= DOWNLOADS_MAX:
            return False
        self._began.append(now)
        return True
