"""What the pure views of the past are made of, read from the store in one transaction each."""

from sqlalchemy import Connection

from server.store import history, kept
from server.store.counts import standings
from server.views import history as views


def machine_at(conn: Connection, machine_id: str, at: int) -> views.MachineAtView | None:
    """A machine as it was told at a moment; None if there is none with this id."""
    stood = history.machine_at(conn, machine_id, at)
    if stood is None:
        return None
    unkept = kept.unkept(conn, "history", at)
    if unkept is not None and at >= stood.enrolled_at:
        return views.unkept_machine(at, stood.machine, stood.label, unkept)
    return views.MachineAtView(
        at=at,
        machine=stood.machine,
        label=stood.label,
        standing=stood.standing,
        findings=stood.findings,
        group=stood.group,
        profile=stood.profile,
        taken_at=stood.taken_at,
        reason=views.not_yet(stood.enrolled_at) if stood.standing is None else None,
    )


def share(conn: Connection, at: int | None, now: int, group: str | None) -> views.ShareView:
    """How the fleet, or a group of it, stood at a moment, or stands now."""
    if at is None:
        return views.share(standings(conn), now, now, group)
    counted = history.share_at(conn, at)
    if counted.counts is None:
        return views.no_share(at, counted.as_of, counted.kept_from, group)
    unkept = kept.unkept(conn, "shares", at)
    if unkept is not None:
        return views.unkept_share(at, counted.as_of, unkept, group)
    return views.share(counted.counts, at, counted.as_of, group)
