"""A machine's timeline: its profiles, what was said of them meanwhile, and what befell it alone.

Nothing of it is stored twice: a verdict's history is one for all machines that share it. Each
kind is read from its latest end, at most so many: a profile that a machine has had for years
costs no more than one of today.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, Literal

from sqlalchemy import CTE, ColumnElement, Connection, FromClause, Row, func, select

from agent.wire import FindingView, Standing
from server.store import kept
from server.store.stands import read_findings
from server.store.tables import assignments, profiles, stands, transitions, verdict_log
from server.store.verdicts import read_verdict
from server.transitions import AWAY

ENTRIES_MAX = 200
"""Most entries of each kind that are read: the latest ones."""

Kind = Literal["profile", "group", "verdict", "standing"]


@dataclass(frozen=True)
class Entry:
    """One thing in a machine's timeline.

    Attributes:
        at: When, in whole seconds since the epoch.
        kind: ``profile`` (it took one), ``group`` (it was moved to another), ``verdict``
            (judged again while it had it) or ``standing`` (by its own facts: silent, paused,
            permitted to differ, left, or following its verdict again).
        standing: How it, or its profile, stood from then on.
        profile: Digest of the profile; None for ``standing``.
        group: The group that it is judged for; None for ``standing``.
        findings: Of ``standing`` as they were told; else as the verdict had them, not dated
            for the machine.
        away_s: How long it had been silent or paused, where that ended, in seconds.
    """

    at: int
    kind: Kind
    standing: Standing
    profile: str | None = None
    group: str | None = None
    findings: tuple[FindingView, ...] = ()
    away_s: int | None = None


@dataclass(frozen=True)
class Own:
    """What was true of a machine only, from some time on.

    Attributes:
        at: When.
        exception: How it stood by that; None where it followed its verdict from then on.
        findings: As they were told of an exception.
        away_s: How long it had been silent or paused, where that ended, in seconds.
    """

    at: int
    exception: Standing | None
    findings: tuple[FindingView, ...] = ()
    away_s: int | None = None


def timeline(conn: Connection, machine_id: str) -> Sequence[Entry]:
    """What happened to a machine, oldest first, as far back as history is kept."""
    had = _had(machine_id)
    said = (*_took(conn, had), *_judged(conn, had))
    return within(tuple(told(said, _own(conn, machine_id))), kept.since(conn, "history"))


def within(entries: Sequence[Entry], begins: int) -> Sequence[Entry]:
    """The entries since a moment, with the last one before them that says what it has. Pure."""
    before = [each for each in entries if each.at < begins and each.kind in {"profile", "group"}]
    return (*before[-1:], *(each for each in entries if each.at >= begins))


def told(said: Iterable[Entry], own: Iterable[Own]) -> Iterator[Entry]:
    """What was said of a machine's profiles, with what was true of it only. Pure.

    What is true of it only is told where it changed how the machine stood. As long as it is,
    the machine was told nothing of its profile's verdict, which others share.

    Args:
        said: Its profiles and their verdicts; of one second in the order told.
        own: Of one second likewise, and after what was said.
    """
    verdict: Standing = "unknown"
    exception: Standing | None = None
    both: list[Entry | Own] = [*said, *own]
    for _, second in groupby(sorted(both, key=lambda each: each.at), key=lambda each: each.at):
        here = list(second)
        entries = [each for each in here if isinstance(each, Entry)]
        befell = [each for each in here if isinstance(each, Own)]
        last = befell[-1] if befell else Own(0, exception)
        taken = [_as_told(each, last) for each in entries if each.kind != "verdict"]
        yield from taken
        if last.exception is None:
            yield from (each for each in entries if each.kind == "verdict")
        verdict = entries[-1].standing if entries else verdict
        for each in befell:
            before, exception = exception or verdict, each.exception
            after = exception or verdict
            is_new = before != after and not (taken and each is last and exception)
            if is_new or each.away_s is not None:
                yield Entry(each.at, "standing", after, findings=each.findings, away_s=each.away_s)


def _as_told(entry: Entry, last: Own) -> Entry:
    """A profile taken, with how the machine itself stood then."""
    if last.exception is None:
        return entry
    return replace(entry, standing=last.exception, findings=last.findings)


def _had(machine_id: str) -> CTE:
    """The machine's latest profiles, each with when it took the next one."""
    ended = func.lead(assignments.c.at).over(order_by=assignments.c.number)
    return (
        select(
            assignments.c.number,
            assignments.c.at,
            assignments.c.profile_id,
            assignments.c.group_name,
            ended.label("ended"),
            profiles.c.digest,
        )
        .join(profiles, profiles.c.id == assignments.c.profile_id)
        .where(assignments.c.machine_id == machine_id)
        .order_by(assignments.c.number.desc())
        .limit(ENTRIES_MAX)
        .cte("had")
    )


def _took(conn: Connection, had: CTE) -> Iterator[Entry]:
    log = verdict_log.alias("log")
    of_pair = select(log.c.id).where(_is_of(log, had)).correlate(had).limit(1)
    then = of_pair.where(log.c.at <= had.c.at).order_by(log.c.at.desc(), log.c.id.desc())
    # A pair can be made later than its profile was taken: when the server heard of that.
    first = of_pair.order_by(log.c.at, log.c.id)
    held = func.coalesce(then.scalar_subquery(), first.scalar_subquery())
    query = (
        select(had, verdict_log.c.standing, verdict_log.c.body)
        .select_from(had)
        .join(verdict_log, verdict_log.c.id == held)
        .order_by(had.c.number)
    )
    before: tuple[str, str] | None = None
    for row in conn.execute(query):
        is_moved = before is not None and before[0] == row.digest and before[1] != row.group_name
        yield _entry(row, row.at, "group" if is_moved else "profile")
        before = row.digest, row.group_name


def _judged(conn: Connection, had: CTE) -> Iterator[Entry]:
    log = verdict_log.alias("log")
    # The index alone tells which rows these are; their bodies are read of the latest only.
    latest = (
        select(log.c.id, had.c.digest)
        .select_from(had)
        .join(log, _is_of(log, had))
        .where(log.c.at > had.c.at, had.c.ended.is_(None) | (log.c.at < had.c.ended))
        .order_by(log.c.at.desc(), log.c.id.desc())
        .limit(ENTRIES_MAX)
        .subquery("latest")
    )
    query = (
        select(verdict_log, latest.c.digest)
        .join(latest, latest.c.id == verdict_log.c.id)
        .order_by(verdict_log.c.at, verdict_log.c.id)
    )
    for row in conn.execute(query):
        yield _entry(row, row.at, "verdict")


def _is_of(log: FromClause, had: CTE) -> ColumnElement[bool]:
    return (log.c.profile_id == had.c.profile_id) & (log.c.group_name == had.c.group_name)


def _entry(row: Row[tuple[Any, ...]], at: int, kind: Kind) -> Entry:
    findings = read_verdict(row.body).findings
    return Entry(at, kind, row.standing, row.digest, row.group_name, findings)


def _own(conn: Connection, machine_id: str) -> Sequence[Own]:
    query = (
        select(stands.c.at, stands.c.exception, stands.c.body)
        .where(stands.c.machine_id == machine_id)
        .order_by(stands.c.id.desc())
        .limit(ENTRIES_MAX)
    )
    rows = conn.execute(query).all()
    away = _away(conn, machine_id)
    newest_first = [
        Own(
            at=row.at,
            exception=row.exception,
            findings=_told(row.body),
            # Each return from silence or a pause is one transition, and the latest go together.
            away_s=next(away, None) if _is_back(earlier.exception, row.exception) else None,
        )
        for row, earlier in pairwise(rows)
    ]
    first = [Own(row.at, row.exception, _told(row.body)) for row in rows[-1:]]
    return [*first, *newest_first[::-1]]


def _told(body: bytes | None) -> tuple[FindingView, ...]:
    return read_findings(body) if body is not None else ()


def _is_back(before: Standing | None, after: Standing | None) -> bool:
    return before in AWAY and after not in {*AWAY, "left"}


def _away(conn: Connection, machine_id: str) -> Iterator[int]:
    """For how long a machine was away, each time that it came back; the latest first."""
    query = (
        select(transitions.c.away_s)
        .where(transitions.c.machine_id == machine_id, transitions.c.away_s.is_not(None))
        .order_by(transitions.c.id.desc())
        .limit(ENTRIES_MAX)
    )
    return iter(conn.execute(query).scalars().all())
