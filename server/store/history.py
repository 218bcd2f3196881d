"""How a machine stood at any moment of the past, as it was told then.

Nothing is computed anew: neither the rules nor what is public now have a say. What the
machine had is its last assignment that the server had heard of; what was true of it only is
its last row of ``stands``; else what was said of its profile is the last row of
``verdict_log``. A laptop that was offline learns later what it had meanwhile: that belongs
into its timeline, but nobody was told of it then. How many stood how is kept by the minute, and
by the hour of times long ago (`server.store.counts`).

A second that came twice, since the clock was set back, is told as the latest row of it has
it. Forgotten machines have no history; notes on the agent's age are not kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from agent.wire import FindingView, Standing
from server.retention import HOUR_S
from server.standing import dated
from server.store import kept
from server.store.counts import MINUTE_S, Counts, at_minute, logged_from
from server.store.machines import read_began
from server.store.stands import read_findings
from server.store.tables import assignments, machines, profiles, stands, verdict_log
from server.store.verdicts import read_verdict


@dataclass(frozen=True)
class StoodAt:
    """A machine as it was told at a moment.

    Attributes:
        machine: Its id.
        label: Its name.
        enrolled_at: When it was enrolled.
        standing: How it stood; None before it was enrolled.
        findings: Worst first, dated for it.
        group: Its group; None before its first profile, when none was kept.
        profile: Digest of its profile; None before the first one.
        taken_at: When the server had heard of that profile.
    """

    machine: str
    label: str
    enrolled_at: int
    standing: Standing | None
    findings: tuple[FindingView, ...] = ()
    group: str | None = None
    profile: str | None = None
    taken_at: int | None = None


@dataclass(frozen=True)
class _Had:
    """A profile that a machine had, in the group that it was in."""

    at: int
    told_at: int
    profile_id: int
    digest: str
    group: str
    began: Mapping[str, int]


def machine_at(conn: Connection, machine_id: str, at: int) -> StoodAt | None:
    """How a machine stood at a moment; None if there is no machine with this id.

    Args:
        conn: For reading.
        machine_id: Its id, also of one that left.
        at: Whole seconds since the epoch; of one second its end is told.
    """
    machine = conn.execute(
        select(machines.c.id, machines.c.label, machines.c.enrolled_at).where(
            machines.c.id == machine_id
        )
    ).first()
    if machine is None:
        return None
    if at < machine.enrolled_at:
        return StoodAt(machine.id, machine.label, machine.enrolled_at, None)
    had = _had(conn, machine_id, at)
    standing, findings = _said(conn, had, at)
    own = _exception(conn, machine_id, at)
    if own is not None:
        standing, body = own
        findings = read_findings(body) if body is not None else findings
    return StoodAt(
        machine=machine.id,
        label=machine.label,
        enrolled_at=machine.enrolled_at,
        standing=standing,
        findings=findings,
        group=had.group if had else None,
        profile=had.digest if had else None,
        taken_at=had.told_at if had else None,
    )


@dataclass(frozen=True)
class Counted:
    """How many machines stood how at a moment.

    Attributes:
        as_of: The moment: the beginning of the minute that was asked for, or of its hour.
        counts: By (group, standing); None where none were kept.
        kept_from: The first moment of which they are; None if there is none.
    """

    as_of: int
    counts: Counts | None
    kept_from: int | None


def share_at(conn: Connection, at: int) -> Counted:
    """How the whole fleet stood as the minute of a moment began: costs the same for any fleet.

    Of times whose minutes are not kept any more, as the hour began.

    Args:
        conn: For reading.
        at: Whole seconds since the epoch.
    """
    unit = MINUTE_S if at >= kept.since(conn, "share minutes") else HOUR_S
    as_of = at - at % unit
    kept_from = logged_from(conn)
    is_kept = kept_from is not None and kept_from <= as_of
    return Counted(as_of, at_minute(conn, as_of) if is_kept else None, kept_from)


def _had(conn: Connection, machine_id: str, at: int) -> _Had | None:
    query = (
        select(
            assignments.c.at,
            assignments.c.told_at,
            assignments.c.profile_id,
            profiles.c.digest,
            assignments.c.group_name,
            assignments.c.began,
        )
        .join(profiles, profiles.c.id == assignments.c.profile_id)
        .where(
            assignments.c.machine_id == machine_id,
            assignments.c.told_at <= at,
            assignments.c.began.is_not(None),
        )
        .order_by(assignments.c.number.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    return _Had(
        row.at, row.told_at, row.profile_id, row.digest, row.group_name, read_began(row.began)
    )


def _said(conn: Connection, had: _Had | None, at: int) -> tuple[Standing, tuple[FindingView, ...]]:
    if had is None:
        return "unknown", ()
    of_pair = (
        select(verdict_log.c.standing, verdict_log.c.body)
        .where(verdict_log.c.profile_id == had.profile_id, verdict_log.c.group_name == had.group)
        .limit(1)
    )
    then = of_pair.where(verdict_log.c.at <= at)
    row = conn.execute(then.order_by(verdict_log.c.at.desc(), verdict_log.c.id.desc())).first()
    if row is None:
        # Its first verdict is younger only where the clock was set back since.
        row = conn.execute(of_pair.order_by(verdict_log.c.at, verdict_log.c.id)).one()
    return row.standing, dated(read_verdict(row.body).findings, had.at, had.began)


def _exception(conn: Connection, machine_id: str, at: int) -> tuple[Standing, bytes | None] | None:
    """The latest row of its own; None where it followed its verdict."""
    query = (
        select(stands.c.exception, stands.c.body)
        .where(stands.c.machine_id == machine_id, stands.c.at <= at)
        .order_by(stands.c.at.desc(), stands.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    return (row.exception, row.body) if row is not None and row.exception is not None else None
