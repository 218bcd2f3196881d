"""A pause that this laptop's user asked for: nothing is looked at, nothing is sent. Pure.

Only its beginning is told to the server, once. The laptop's clock measures it. Set forward,
it ends a pause early, as a sleep does, which cannot be told apart. Set back to before the
asking, it begins the pause anew, so that no clock makes one endless: at most one more of
its length is added each time.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Pause:
    """One pause, by the laptop's clock in whole seconds since the epoch.

    Attributes:
        asked_at: When it was asked for.
        until: When it is over.
        is_told: The server has acknowledged it.
    """

    asked_at: int
    until: int
    is_told: bool = False

    def left_s(self, now: int) -> int:
        """Seconds until it is over; 0 when it is."""
        return max(0, self.until - now)

    def at(self, now: int) -> "Pause | None":
        """The same pause at `now`; None when it is over."""
        if now < self.asked_at:
            return replace(self, asked_at=now, until=now + self.until - self.asked_at)
        return self if self.left_s(now) else None
