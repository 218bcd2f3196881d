"""What laptops do while there is no server, without waiting for it. Pure.

A request that nobody listens to takes no time and touches nothing but the laptop that made it:
so each lives through an outage by itself, attempt after attempt, as its agent's own exchange
says, and is then where it would be.
"""

from collections.abc import Callable

from agent.exchange import Answered
from agent.exchange_table import Outcome
from tests.benchmarks.simulator.link import REFUSED
from tests.benchmarks.simulator.machines import SENDING, Fleet

NOBODY = Answered(Outcome.UNREACHED, reason=REFUSED)
"""What each attempt comes to."""


def live(fleet: Fleet, begins: float, ends: float, chance: Callable[[], float]) -> int:
    """Lets every laptop try until an outage ends; how many attempts that took.

    Afterwards every one of them rests or backs off until then at least.

    Args:
        fleet: No request of theirs is under way.
        begins: From when on nobody listens; epoch seconds.
        ends: Until when.
        chance: From 0 to 1, another one each time.
    """
    return sum(_live(fleet, index, begins, ends, chance) for index in range(len(fleet)))


def _live(fleet: Fleet, index: int, now: float, ends: float, chance: Callable[[], float]) -> int:
    laptop, tries = fleet.laptops[index], 0
    while True:
        if laptop.x.state not in SENDING:
            now = max(now, laptop.x.at)
            if now >= ends:
                return tries
            fleet.due(index, laptop.x.at, now, chance())
        if laptop.sent is None:
            # What was sent before goes again byte for byte: no need to make it anew.
            fleet.request(index, now, chance())
        fleet.hear(index, NOBODY, now, chance())
        tries += 1
