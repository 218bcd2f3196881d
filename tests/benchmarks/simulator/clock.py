"""The time of a run, some of which need not be waited for."""

import time


class Clock:
    """The time of a run: real, or ahead of it once some of it was not waited for.

    Attributes:
        ahead_s: By how much, in seconds.
    """

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return time.time() + self.ahead_s

    def move_to(self, moment: float) -> None:
        """Lets it be that late, if it is not already."""
        self.ahead_s += max(0.0, moment - self())
