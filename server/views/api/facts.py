"""What the pure views are made of, read from the store in one transaction each."""

from sqlalchemy import Connection, func, select

from server.store import counts, outbox, public, read, timeline
from server.store.tables import outbox as messages
from server.views.machines import Happening, ListedMachine
from server.views.status import AlertFacts, Fleet, SourceFacts


def fleet(conn: Connection, sources: tuple[str, ...]) -> Fleet:
    """What the status shows.

    Args:
        conn: For reading.
        sources: The names of the sources that the settings name.
    """
    known = {
        item.source: SourceFacts(item.source, item.state, item.since, item.read_at, item.error)
        for item in public.health(conn)
    }
    waiting = {name: SourceFacts(name, "waiting") for name in sources if name not in known}
    return Fleet(
        counts=counts.standings(conn),
        sources=tuple(item for _, item in sorted((known | waiting).items())),
        alerts=_alerts(conn),
        lookups_waiting=len(public.waiting(conn)),
    )


def listed(row: read.MachineRow) -> ListedMachine:
    """A machine of a page."""
    return ListedMachine(
        machine=row.id,
        label=row.label,
        group=row.group,
        standing=row.standing,
        last_seen=row.last_seen,
        owner=row.owner,
        agent=row.agent,
        profile=row.profile,
    )


def happening(entry: timeline.Entry) -> Happening:
    """A thing in a timeline."""
    return Happening(entry.at, entry.kind, entry.standing, entry.profile, entry.findings)


def _alerts(conn: Connection) -> AlertFacts:
    health = outbox.outbox_health(conn)
    is_open = messages.c.delivered_at.is_(None) & messages.c.dropped_at.is_(None)
    return AlertFacts(
        waiting=health.waiting,
        oldest_at=conn.execute(select(func.min(messages.c.created_at)).where(is_open)).scalar(),
        held=health.held,
        failing=health.failing,
        reason=health.reason,
        untold=health.untold,
        delivered_at=health.delivered_at,
    )
