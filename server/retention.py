"""For how long what is kept. Pure.

Each kind of thing has its own number of days, and 0 keeps it for ever. What is true now is
never touched, however old: of everything that was said of a machine, a profile or a count, the
last word before the horizon stays, so that every question about a later moment has the same
answer as before. What was public, policies and keys stay for ever: they are few, and verdicts
rest on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DAY_S = 86_400
"""Seconds of a day."""

HOUR_S = 3_600
"""Seconds of an hour: how fine counts of machines are kept beyond their minutes."""

Kind = Literal[
    "history",
    "left machines",
    "share minutes",
    "shares",
    "activity",
    "messages",
    "look-ups",
    "profiles",
]
"""What has a horizon of its own."""


@dataclass(frozen=True)
class Keep:
    """For how many days each kind is kept; 0 keeps it for ever.

    Attributes:
        history: What machines had and how they stood; waivers that ended.
        left_machines: Machines that left, after they did; with all that names them.
        share_minutes: How many machines stood how, by the minute.
        shares: The same by the hour, and how many had which build by the day.
        activity: How much builds were used, by day and group.
        messages: Messages that were delivered or dropped, after they were.
        lookups: Answers about versions that no laptop names any more.
        profiles: Profiles that no machine has or had, after they came.
    """

    history: int = 400
    left_machines: int = 400
    share_minutes: int = 31
    shares: int = 1_100
    activity: int = 400
    messages: int = 90
    lookups: int = 30
    profiles: int = 30


@dataclass(frozen=True)
class Unkept:
    """Why a moment is not known.

    Attributes:
        until: From when on it is known again, in whole seconds since the epoch.
        lost_from: The moment of the backup that the database was put back from at `until`;
            None where the moment is simply too long ago.
    """

    until: int
    lost_from: int | None = None


def plan(keep: Keep, now: int) -> Mapping[Kind, int]:
    """The horizon of each kind that has one: what is older goes.

    Args:
        keep: For how long.
        now: Whole seconds since the epoch.

    Returns:
        Whole seconds since the epoch; of counts whole hours, of activity whole days (UTC).
    """
    days: Mapping[Kind, int] = {
        "history": keep.history,
        "left machines": keep.left_machines,
        "share minutes": keep.share_minutes,
        "shares": keep.shares,
        "activity": keep.activity,
        "messages": keep.messages,
        "look-ups": keep.lookups,
        "profiles": keep.profiles,
    }
    fine: Mapping[Kind, int] = {"share minutes": HOUR_S, "shares": HOUR_S, "activity": DAY_S}
    return {
        kind: _whole(now - number * DAY_S, fine.get(kind, 1))
        for kind, number in days.items()
        if number and now > number * DAY_S
    }


def _whole(at: int, unit: int) -> int:
    return at - at % unit
