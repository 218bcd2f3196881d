"""What was told at a moment of the past: of a machine, of the fleet, of the heads. Pure.

A moment is given as people write it, with its offset from UTC, or as programs count it. One
without an offset is refused: the reader's time zone and the server's need not be the same.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from agent.wire import Answer, FindingView, Standing
from server.errors import RequestRefused
from server.releases.ledger import Ledger
from server.retention import Unkept
from server.said import refused
from server.views.releases import head_view
from server.views.status import HeadStatus, Tally, tally

AT_MAX = 40
"""Longest text of a moment, in characters."""

_ADVICE = (
    "write it like 2026-04-16T14:05:00Z or 2026-04-16T14:05:00+02:00 (in a URL, + is %2B),"
    " or as seconds since the epoch"
)


class MachineAtView(Answer, frozen=True):
    """The answer of ``GET /v1/machines/{id}/at``.

    Attributes:
        at: The moment asked for.
        machine: Its id.
        label: Its name.
        standing: How it stood, as told then; null before it was enrolled.
        findings: As told then, worst first.
        group: The group that it was judged for; none before its first profile.
        profile: Digest of the profile that it had; none before the first one.
        taken_at: When the server had heard of that profile.
        reason: Why there is no standing.
    """

    at: int
    machine: str
    label: str
    standing: Standing | None
    findings: tuple[FindingView, ...] = ()
    group: str | None = None
    profile: str | None = None
    taken_at: int | None = None
    reason: str | None = None


class ShareView(Answer, frozen=True):
    """The answer of ``GET /v1/share``.

    Attributes:
        at: The moment asked for.
        as_of: The moment told: the beginning of that minute, or now.
        tally: All machines, or those of the group asked for; null where no counts were kept.
        groups: The same by group; none where one group was asked for.
        group: The group asked for.
        reason: Why there is no tally.
    """

    at: int
    as_of: int
    tally: Tally | None
    groups: dict[str, Tally] = msgspec.field(default_factory=dict)
    group: str | None = None
    reason: str | None = None


class HeadsView(Answer, frozen=True):
    """The answer of ``GET /v1/heads``.

    Attributes:
        at: The moment asked for.
        heads: What every channel of every source pointed to, as far as was read by then.
        reason: Why there is none.
    """

    at: int
    heads: tuple[HeadStatus, ...]
    reason: str | None = None


def moment_of(text: str, now: int) -> int:
    """A moment of the past from what a person or a program wrote.

    Args:
        text: ISO 8601 with an offset or ``Z``, or whole seconds since the epoch.
        now: The server's clock.

    Returns:
        Whole seconds since the epoch.

    Raises:
        RequestRefused: 422 it is neither, or has not come yet.
    """
    at = int(text) if text.isascii() and text.isdigit() and len(text) <= AT_MAX else _written(text)
    if at > now:
        raise refused("at", f"{text[:AT_MAX]} has not come yet", "name a moment of the past")
    return at


def share(
    counts: Mapping[tuple[str, str], int], at: int, as_of: int, group: str | None = None
) -> ShareView:
    """How a fleet stood.

    Args:
        counts: How many machines, by (group, standing).
        at: The moment asked for.
        as_of: The moment that they are of.
        group: Only the machines of this group.
    """
    numbers = [(name, standing, count) for (name, standing), count in counts.items()]
    wanted = [each for each in numbers if group is None or each[0] == group]
    names = sorted({name for name, _, _ in wanted}) if group is None else ()
    return ShareView(
        at=at,
        as_of=as_of,
        tally=tally((standing, count) for _, standing, count in wanted),
        groups={
            name: tally((standing, count) for of, standing, count in wanted if of == name)
            for name in names
        },
        group=group,
    )


def not_yet(enrolled_at: int) -> str:
    """Why a machine has no standing at a moment: it was enrolled later."""
    return f"not enrolled yet: that was at {_shown(enrolled_at)}"


def no_share(at: int, as_of: int, kept_from: int | None, group: str | None = None) -> ShareView:
    """What is said of a moment of which no counts were kept.

    Args:
        at: The moment asked for.
        as_of: The beginning of its minute.
        kept_from: The first moment of which they were; None if there is none.
        group: The group asked for.
    """
    reason = (
        "no machine has enrolled yet"
        if kept_from is None
        else (f"counts are kept from {_shown(kept_from)} on")
    )
    return ShareView(at=at, as_of=as_of, tally=None, group=group, reason=reason)


def unkept_machine(at: int, machine: str, label: str, unkept: Unkept) -> MachineAtView:
    """What is said of a machine at a moment that is not known any more.

    Args:
        at: The moment asked for.
        machine: Its id.
        label: Its name.
        unkept: Why it is not known.
    """
    return MachineAtView(at, machine, label, None, reason=_not_kept(unkept))


def unkept_share(at: int, as_of: int, unkept: Unkept, group: str | None = None) -> ShareView:
    """What is said of the fleet at a moment that is not known any more.

    Args:
        at: The moment asked for.
        as_of: The beginning of its minute.
        unkept: Why it is not known.
        group: The group asked for.
    """
    return ShareView(at=at, as_of=as_of, tally=None, group=group, reason=_not_kept(unkept))


def _not_kept(unkept: Unkept) -> str:
    until = _shown(unkept.until)
    if unkept.lost_from is None:
        return f"not kept that long: what is kept begins at {until}"
    return (
        f"lost: at {until} the database was put back as it was at {_shown(unkept.lost_from)},"
        " and the time between is not known"
    )


def heads(ledger: Ledger, at: int) -> HeadsView:
    """What was public at a moment, on every channel of every source.

    A head is told with when it was last read by then: since then it may have moved without
    the server's knowing.
    """
    channels = sorted({head.channel for head in ledger.heads()})
    found = [reading for channel in channels for reading in ledger.head_at(channel, at)]
    told = tuple(
        HeadStatus(
            **msgspec.structs.asdict(
                msgspec.structs.replace(head_view(each), read_at=min(each.last_seen, at))
            ),
            age_s=max(0, at - each.last_seen),
        )
        for each in found
    )
    return HeadsView(at, told, None if told else "nothing had been read by then")


def _written(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text[: AT_MAX + 1])
    except ValueError:
        raise _unreadable(text, "is no moment") from None
    if moment.tzinfo is None:
        raise _unreadable(text, "has no offset from UTC")
    try:
        at = int(moment.timestamp() // 1)
    except (OverflowError, ValueError):
        raise _unreadable(text, "is too far away") from None
    if at < 0:
        raise _unreadable(text, "is before 1970")
    return at


def _unreadable(text: str, why: str) -> RequestRefused:
    return refused("at", f"{text[:AT_MAX]!r} {why}", _ADVICE)


def _shown(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")
