"""A machine's history: its profiles, joined with what was said of them while it had them.

Nothing of it is stored twice: a verdict's history is one for all machines that share it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, or_, select

from agent.wire import FindingView, Standing
from server.store.tables import assignments, profiles, transitions, verdict_log
from server.store.verdicts import read_verdict

PROFILES_MAX = 200
"""Most profiles of a timeline: the latest ones."""

ENTRIES_MAX = 1_000
"""Most entries of each other kind that are read for it: the latest ones."""

_OWN: tuple[Standing, ...] = ("silent", "paused", "left")

Kind = Literal["profile", "verdict", "standing"]


@dataclass(frozen=True)
class Entry:
    """One thing in a machine's timeline.

    Attributes:
        at: When, in whole seconds since the epoch.
        kind: ``profile`` (it took one), ``verdict`` (judged again while it had it) or
            ``standing`` (by its own facts: silent, left, or speaking again).
        standing: How it, or its profile, stood from then on.
        profile: Digest of the profile; None for ``standing``.
        findings: As the verdict had them; not dated for the machine.
    """

    at: int
    kind: Kind
    standing: Standing
    profile: str | None = None
    findings: tuple[FindingView, ...] = ()


@dataclass(frozen=True)
class Said:
    """What a verdict was from some time on."""

    at: int
    standing: Standing
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class Had:
    """A profile that a machine took, and when."""

    at: int
    profile_id: int
    digest: str


def timeline(conn: Connection, machine_id: str) -> Sequence[Entry]:
    """What happened to a machine, oldest first."""
    had = _had(conn, machine_id)
    entries = [*join(had, _said(conn, machine_id, had)), *_own(conn, machine_id)]
    return sorted(entries, key=lambda entry: entry.at)


def join(had: Sequence[Had], said: Mapping[int, Sequence[Said]]) -> Iterator[Entry]:
    """The profiles that a machine had, with what was said of each meanwhile. Pure.

    Args:
        had: In the order taken.
        said: By profile id, oldest first; at least one each.
    """
    ends: list[float] = [each.at for each in had[1:]] + [float("inf")] * bool(had)
    for each, end in zip(had, ends, strict=True):
        history = said[each.profile_id]
        held = max(0, bisect_right([item.at for item in history], each.at) - 1)
        first = history[held]
        yield Entry(each.at, "profile", first.standing, each.digest, first.findings)
        for item in history[held + 1 :]:
            if item.at < end:
                yield Entry(item.at, "verdict", item.standing, each.digest, item.findings)


def _had(conn: Connection, machine_id: str) -> Sequence[Had]:
    query = (
        select(assignments.c.at, assignments.c.profile_id, profiles.c.digest)
        .join(profiles, profiles.c.id == assignments.c.profile_id)
        .where(assignments.c.machine_id == machine_id)
        .order_by(assignments.c.number.desc())
        .limit(PROFILES_MAX)
    )
    return [Had(*row) for row in conn.execute(query)][::-1]


def _said(conn: Connection, machine_id: str, had: Sequence[Had]) -> Mapping[int, Sequence[Said]]:
    mine = (
        (assignments.c.machine_id == machine_id)
        & (assignments.c.profile_id == verdict_log.c.profile_id)
        & (assignments.c.group_name == verdict_log.c.group_name)
    )
    query = (
        select(
            verdict_log.c.profile_id,
            verdict_log.c.at,
            verdict_log.c.standing,
            verdict_log.c.body,
        )
        .where(
            verdict_log.c.profile_id.in_({each.profile_id for each in had}),
            select(assignments.c.number).where(mine).exists(),
        )
        .order_by(verdict_log.c.id)
    )
    said: dict[int, list[Said]] = defaultdict(list)
    for profile_id, at, standing, body in conn.execute(query):
        said[profile_id].append(Said(at, standing, read_verdict(body).findings))
    return said


def _own(conn: Connection, machine_id: str) -> Iterator[Entry]:
    query = (
        select(transitions.c.at, transitions.c.after)
        .where(
            transitions.c.machine_id == machine_id,
            or_(transitions.c.before.in_(_OWN), transitions.c.after.in_(_OWN)),
        )
        .order_by(transitions.c.at.desc(), transitions.c.id.desc())
        .limit(ENTRIES_MAX)
    )
    for at, after in conn.execute(query):
        yield Entry(at, "standing", after)
