"""What is sent next, and what is only counted in it. Pure.

At most `MESSAGES_MAX` an hour are sent, the operator's incidents apart: whoever is told
of each of 500 laptops reads none. What falls due beyond that is held back and counted in
the next message that may go. News older than a day are counted too, never told one by
one, so that an outage of the destination does not end in a flood.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from server.alerts.rows import HELD, Row

MESSAGES_MAX = 20
"""Most messages within `CAP_S`, the operator's apart."""

CAP_S = 3_600
"""The time over which messages are counted, in seconds."""

NEWS_MAX_AGE_S = 86_400
"""Age from which a change is only counted, in seconds."""

ROWS_MAX = 1_000
"""Most rows that one message settles."""


@dataclass(frozen=True)
class Parcel:
    """One message to send.

    Attributes:
        row: The row that the message stands for.
        counted: Rows that it counts.
        in_full: The row is told; else it is counted like the others.
    """

    row: Row
    counted: tuple[Row, ...] = ()
    in_full: bool = True


def pack(rows: Sequence[Row], sent: int, now: int) -> Parcel | None:
    """The next message; None if nothing may go now.

    Args:
        rows: What is due, the operator's first, then oldest first.
        sent: How many messages went within the last `CAP_S`, the operator's not counted.
        now: Whole seconds since the epoch.
    """
    incident = next((row for row in rows if row.told == "operator"), None)
    if incident is not None:
        return Parcel(incident)
    if not rows or sent >= MESSAGES_MAX:
        return None
    stale = [row for row in rows if now - row.created_at >= NEWS_MAX_AGE_S]
    recent = [row for row in rows if now - row.created_at < NEWS_MAX_AGE_S]
    held = [row for row in recent if row.reason == HELD]
    fresh = [row for row in recent if row.reason != HELD]
    told = next(iter(fresh or held), None)
    if told is None:
        return Parcel(stale[0], tuple(stale[1:]), in_full=False)
    return Parcel(told, tuple(row for row in (*stale, *held) if row is not told))
