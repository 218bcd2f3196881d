"""What is true of one machine only, whatever its profile. Pure.

The machine rules under ``server/rules`` look at it, and `server.standing` puts it over the
verdict that the machine shares with others.
"""

from dataclasses import dataclass
from itertools import pairwise

from server.waivers import Waiver

CLONED_S = 24 * 3600
"""Two alternations of epochs within so many seconds are two laptops, and so long that is said."""


@dataclass(frozen=True)
class MachineFacts:
    """What is true of one machine only.

    Attributes:
        enrolled_at: When it was enrolled.
        last_seen: Its last acknowledged check-in; its enrolment before the first one.
        agent: The agent's version at the last check-in; None before the first one.
        left: It was revoked or said goodbye.
        paused_until: Until when its user asked to be left alone; None if never.
        taken_at: When the server heard of its present profile; None before the first one.
        heads_read_at: When the heads that its copies follow were last read; None if never.
        unsent_since: Since when it names a profile that it does not send for too long; None
            while it does.
        alternations: The latest times, ascending, at which an epoch spoke that this machine
            had already left.
        waivers: Every waiver that it was given.
        unheard_s: Seconds of its silence in which the server did not listen.
    """

    enrolled_at: int
    last_seen: int
    agent: str | None = None
    left: bool = False
    paused_until: int | None = None
    taken_at: int | None = None
    heads_read_at: int | None = None
    unsent_since: int | None = None
    alternations: tuple[int, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    unheard_s: int = 0

    @property
    def expected_at(self) -> int:
        """From when on it was expected to speak again: a paused machine is not."""
        return max(self.last_seen, self.paused_until or 0)

    @property
    def cloned_until(self) -> int | None:
        """Until when two laptops seem to share its identity; None if they never did."""
        times = self.alternations
        pairs = pairwise(times)
        ends = [later + CLONED_S for earlier, later in pairs if later - earlier < CLONED_S]
        return max(ends, default=None)
