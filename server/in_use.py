"""Which build a laptop's user gets: the one of its profile that machines are counted by. Pure.

It rests on the profile alone, so that neither a release nor a policy moves a count: what is
public about its bytes is looked up when somebody asks.
"""

from dataclasses import dataclass

from agent.wire import Profile
from server.activity import NOT_EXAMINED

NOTHING = "none"
"""The build of a machine on which nothing is installed that anything starts."""


@dataclass(frozen=True, slots=True)
class Day:
    """How a number changed on a day.

    Attributes:
        day: UTC, counted from the epoch.
        group: The group.
        build: The build.
        before: How many machines there were before the day's first change.
        machines: How many at its end.
    """

    day: int
    group: str
    build: str
    before: int
    machines: int


def build_in_use(profile: Profile) -> str:
    """SHA-256 of the first copy that a terminal starts, else of the first that anything starts.

    Returns:
        64 hex digits; `NOT_EXAMINED` where its bytes could not be examined, `NOTHING` without
        such a copy.
    """
    started = [install for install in profile.installs if install.counted]
    if not started:
        return NOTHING
    copy = next((each for each in started if "terminal" in each.starts), started[0])
    return copy.build.sha256 if copy.build else NOT_EXAMINED
