"""How much running sessions were used: seconds and starts per day, surface and build. Pure.

Looks are an interval apart, and what a session did between two of them is told by its start
time and by whether it is still there::

    looks     |---------|---------|---------|
    session        >----+---------+---x           from its own start to the middle of the
              counted   ~~~~~~~~~~~~~~~           interval in which it ended
    short            >-x     never seen           one that was seen at a single look counts
    short            >--+-x  seen once            one whole interval, for itself and these

* A session is new if its number and start token were not seen at the look before: a start. One
  that ran already at the first look of all (the agent was started, a pause ended) is none, and
  counts from that look on.
* More than `gap_s` between two looks is sleep: nothing is counted for it. A session that began
  in it is a start, and counts from its own time where that is not longer ago.
* A clock that was set back counts no seconds; midnight, UTC, divides.

Short sessions are weighed by their start times. One that lasts L is caught by looks that are T
apart with a chance of L / T, so that each one caught has to count T for the sum to be right on
average: its age at the look, and what lay between the look before and its start. For sessions
of T and of 2 T and more the sum is right as well; between these it is short by an eighth of T at
most. The number of those that were missed cannot be told in the same way (the weight T / L would
need L, and no function of the age alone is right on average), so starts are those of sessions
that were seen: with scripts that call Claude Code for seconds, fewer than there were.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.host import Process
from agent.wire import Activity

DAY_S = 86_400
"""Seconds of a day, UTC; leap seconds are not told apart (POSIX time)."""


@dataclass(frozen=True)
class Seen:
    """A session that runs at the moment of a look.

    Attributes:
        process: Its number and start token.
        started_at: When it began, epoch seconds; None where the system does not tell, and then
            it counts from the look before.
        surface: From where it was started.
        build: SHA-256 of the bytes that it executes; None where they could not be examined.
    """

    process: Process
    started_at: int | None
    surface: str
    build: str | None


@dataclass(frozen=True)
class Known:
    """A session that was there at the last look.

    Attributes:
        seen: What it was then.
        short_s: Seconds that it still counts if it ended before a second look; None where that
            is half of the interval.
    """

    seen: Seen
    short_s: int | None = None


@dataclass(frozen=True)
class Counting:
    """Up to where it was counted.

    Attributes:
        looked_at: When the last look was, epoch seconds; None before the first.
        known: The sessions that were there.
    """

    looked_at: int | None = None
    known: tuple[Known, ...] = ()


def count(
    before: Counting, running: Iterable[Seen], now: int, *, gap_s: int
) -> tuple[Counting, tuple[Activity, ...]]:
    """What was used since the last look.

    Args:
        before: As this gave it at the last look.
        running: The sessions that run now, in any order.
        now: The agent's clock, epoch seconds; it may have been set.
        gap_s: Seconds; looks further apart than this have sleep between them.

    Returns:
        What the next look goes on from; and the counts, in the order of `merged`.
    """
    present = {each.process: each for each in running}
    if before.looked_at is None:
        return Counting(now, tuple(Known(each) for each in present.values())), ()
    last = before.looked_at
    known = {each.seen.process: each for each in before.known}
    fresh = [each for process, each in present.items() if process not in known]
    used = [each for old in known.values() for each in _went_on(old, present, last, now, gap_s)]
    used += [each for new in fresh for each in _began(new, last, now, gap_s)]
    stayed = [Known(each) for process, each in present.items() if process in known]
    begun = [Known(each, _short_s(each, last, now, gap_s)) for each in fresh]
    return Counting(now, (*stayed, *begun)), merged(used)


def merged(counts: Iterable[Activity]) -> tuple[Activity, ...]:
    """Counts added up, one of each day, surface and build, in this order."""
    seconds: Counter[tuple[int, str, str]] = Counter()
    starts: Counter[tuple[int, str, str]] = Counter()
    for each in counts:
        key = (each.day, each.surface, each.build or "")
        seconds[key] += each.seconds
        starts[key] += each.starts
    return tuple(
        Activity(
            day=key[0],
            surface=key[1],
            build=key[2] or None,
            seconds=seconds[key],
            starts=starts[key],
        )
        for key in sorted(seconds)
    )


def _went_on(
    old: Known, present: dict[Process, Seen], last: int, now: int, gap_s: int
) -> Iterator[Activity]:
    passed = now - last
    if passed > gap_s:
        return
    if old.seen.process in present:
        rest = passed
    elif old.short_s is None:
        rest = passed // 2
    else:
        rest = min(old.short_s, passed)
    # What it was at the last look, for it may have become another program since.
    yield from _ran(old.seen, last, last + rest)


def _began(new: Seen, last: int, now: int, gap_s: int) -> Iterator[Activity]:
    since = _since(new, last, now)
    yield Activity(day=since // DAY_S, surface=new.surface, build=new.build, starts=1)
    if now - since <= gap_s:
        yield from _ran(new, since, now)


def _ran(seen: Seen, since: int, until: int) -> Iterator[Activity]:
    while since < until:
        day = since // DAY_S
        end = min(until, (day + 1) * DAY_S)
        yield Activity(day=day, surface=seen.surface, build=seen.build, seconds=end - since)
        since = end


def _since(new: Seen, last: int, now: int) -> int:
    # What began before the last look and was not seen then counts from that look on.
    return min(max(new.started_at or last, last), now)


def _short_s(new: Seen, last: int, now: int, gap_s: int) -> int | None:
    if new.started_at is None or new.started_at < last or not 0 < now - last <= gap_s:
        return None
    return _since(new, last, now) - last
