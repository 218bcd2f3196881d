"""When a machine comes again, and what it is told has changed. Pure.

Every machine has a slot of its own in the interval, by its random id: laptops stay spread
however they started, and a herd that an outage has lined up is spread again by one answer.
"""

from zlib import crc32

from agent.wire import Standing

INTERVAL_S = 900
"""Default time between two check-ins of one machine, in seconds."""

HURRY_S = 60
"""The same while something about the machine is not settled, in seconds."""


def next_s(machine_id: str, interval_s: int, now: int, *, hurry: bool = False) -> int:
    """Seconds until the machine's slot in an interval, from half to one and a half of it.

    Args:
        machine_id: Whose.
        interval_s: Seconds between two check-ins.
        now: The server's clock.
        hurry: Something about it is under way: the interval is at most `HURRY_S`.
    """
    interval_s = min(interval_s, HURRY_S) if hurry else interval_s
    earliest = max(1, interval_s // 2)
    return earliest + (crc32(machine_id.encode()) - now - earliest) % interval_s


def tag_of(
    verdict_tag: str | None, exception: Standing | None = None, stand_tag: str | None = None
) -> str:
    """Names what holds for a machine: differs whenever findings or standing do.

    Args:
        verdict_tag: Of the verdict on its profile; None before its first one.
        exception: Its standing, where something is true of it only.
        stand_tag: Names its findings then.
    """
    if exception is None:
        return verdict_tag or "none"
    return f"{exception}-{stand_tag or verdict_tag or 'none'}"
