"""Who came back after an outage, and when each comes next. Pure.

A laptop is back once it rests: its check-in was acknowledged and nothing is left to be said.
When it comes next is its own exchange's word on that ack, so a second wave can be told before
there is one: all those moments, counted by a tenth of an interval.
"""

import math
from collections import Counter

from tests.benchmarks.simulator.measures import Histogram

WINDOWS = 10
"""Windows of an interval, in which next check-ins are counted."""

WAVE_MAX = 1.5
"""So much more than a steady fleet in one window is a wave."""

_CHANCE_SIGMAS = 4.0


class Homecoming:
    """Notes the laptops of a fleet as they come back.

    Args:
        laptops: How many there are.
        began: When the server could be reached again; epoch seconds.
        interval_s: Seconds between two check-ins of a laptop.

    Attributes:
        returned: How many came back, by second since then.
        nexts: How many come next in each window of a tenth of an interval since then.
        waited: From a 503 to the laptop's rest, for each laptop that was turned away.
    """

    def __init__(self, laptops: int, began: float, interval_s: float) -> None:
        self.returned: Counter[int] = Counter()
        self.nexts: Counter[int] = Counter()
        self.waited = Histogram()
        self._began = began
        self._interval_s = interval_s
        self._is_back = bytearray(laptops)
        self._turned_away: dict[int, float] = {}

    @property
    def missing(self) -> int:
        """Laptops that did not come back yet."""
        return len(self._is_back) - self.returned.total()

    @property
    def is_over(self) -> bool:
        """Whether all came back."""
        return not self.missing

    @property
    def lasted_s(self) -> int:
        """Whole seconds until the last came back, of those that did."""
        return max(self.returned, default=0)

    @property
    def wave(self) -> float:
        """The fullest window of next check-ins, where 1 is a steady fleet's."""
        steady = len(self._is_back) / WINDOWS
        return max(self.nexts.values(), default=0) / steady

    @property
    def is_second_wave(self) -> bool:
        """Whether that is more than chance does to laptops that are spread."""
        steady = len(self._is_back) / WINDOWS
        return self.wave > WAVE_MAX + _CHANCE_SIGMAS / math.sqrt(steady)

    @property
    def still_away(self) -> int:
        """Laptops that were turned away with 503 and did not come back yet."""
        return len(self._turned_away)

    def turned_away(self, index: int, now: float) -> None:
        """A laptop was answered 503: it comes again later."""
        self._turned_away.setdefault(index, now)

    def rested(self, index: int, now: float, next_at: float) -> None:
        """A laptop's conversation ended well.

        Args:
            index: Of the laptop.
            now: Epoch seconds.
            next_at: When it checks in again.
        """
        if (since := self._turned_away.pop(index, None)) is not None:
            self.waited.add(now - since)
        if self._is_back[index]:
            return
        self._is_back[index] = 1
        self.returned[int(now - self._began)] += 1
        self.nexts[int((next_at - self._began) * WINDOWS / self._interval_s)] += 1
