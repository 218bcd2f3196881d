"""What the pure views are made of, read from the store in one transaction each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, func, select

from server.current import Current
from server.retention import DAY_S
from server.store import (
    activity,
    build_counts,
    conditions,
    counts,
    kept,
    outbox,
    policies,
    public,
    read,
    references,
    telling,
    timeline,
    waivers,
)
from server.store.facts import row_facts
from server.store.machines import Machine, find
from server.store.tables import outbox as messages
from server.views import activity as uses
from server.views import versions as numbers
from server.views.expected import GivenWaiver, ReferenceView
from server.views.machines import (
    MEND_SHARED,
    Happening,
    ListedMachine,
    MachineHistoryView,
    Shared,
    WhyLeft,
    history,
)
from server.views.status import AlertFacts, Fleet, SourceFacts

_LEFT_BY: Mapping[str, WhyLeft] = {
    telling.UNINSTALLED: "uninstalled",
    telling.REPLACED: "replaced",
    "left": "revoked",
}


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
        conditions=conditions.load(conn),
        policy_refused=_refused(conn),
    )


def listed(conn: Connection, rows: Sequence[read.MachineRow], now: int) -> list[ListedMachine]:
    """The machines of a page.

    Args:
        conn: For reading.
        rows: As the store has them.
        now: The server's clock: a waiver counts while it holds.
    """
    ids = [row.id for row in rows]
    waived, shown = waivers.holding(conn, ids, now), references.among(conn, ids)
    return [
        ListedMachine(
            machine=row.id,
            label=row.label,
            group=row.group,
            standing=row.standing,
            last_seen=row.last_seen,
            owner=row.owner,
            agent=row.agent,
            profile=row.profile,
            waivers=waived.get(row.id, 0),
            is_reference=row.id in shown,
        )
        for row in rows
    ]


def given(item: waivers.Given, now: int) -> GivenWaiver:
    """A waiver of a list."""
    return GivenWaiver(
        **asdict(item.waiver),
        machine=item.machine,
        label=item.label,
        holds=item.waiver.holds(now),
        taken_back_by=item.taken_back_by,
    )


def reference(item: references.ReferenceMachine) -> ReferenceView:
    """A reference machine of a list."""
    return ReferenceView(item.group, item.machine, item.label, item.added_at, item.profile)


def machine(
    conn: Connection, current: Current, machine_id: str, now: int
) -> MachineHistoryView | None:
    """One machine with what happened to it; None if there is none with this id.

    Args:
        conn: For reading.
        current: What is true now.
        machine_id: Its id.
        now: The server's clock.
    """
    found, view = find(conn, machine_id), read.machine_view(conn, current, machine_id, now)
    if found is None or view is None:
        return None
    entries = map(happening, timeline.timeline(conn, machine_id))
    return history(view, entries, _shared(found, now), _why_left(conn, found))


def happening(entry: timeline.Entry) -> Happening:
    """A thing in a timeline."""
    return Happening(
        at=entry.at,
        kind=entry.kind,
        standing=entry.standing,
        profile=entry.profile,
        findings=entry.findings,
        group=entry.group,
        away_s=entry.away_s,
    )


def used(
    conn: Connection, current: Current, days: int, now: int, group: str | None
) -> uses.ActivityView:
    """How much builds were used.

    Args:
        conn: For reading.
        current: What is true now.
        days: How many of them, the last one being today.
        now: The server's clock.
        group: Of this group only.
    """
    asked = uses.span_of(days, now)
    # A day that is not kept any more would be told as one without use.
    span = range(max(asked.start, kept.since(conn, "activity") // DAY_S), asked.stop)
    found = activity.read(conn, span.start, group)
    if len(found) == activity.READ_MAX:
        # A day that was read in part would be told as less than it was.
        span = range(found[-1].day + 1, span.stop)
    whole = (each for each in found if each.day in span)
    return uses.view(whole, current.ledger, current.policies, span, group)


def _shared(machine: Machine, now: int) -> Shared | None:
    own = row_facts(machine)
    if own.left or own.cloned_until is None or own.cloned_until <= now:
        return None
    return Shared(
        epoch=machine.epoch,
        acknowledged_at=machine.last_seen,
        left=tuple(machine.past_epochs.split()),
        turns=own.alternations,
        until=own.cloned_until,
        mend=MEND_SHARED,
    )


def versions(
    conn: Connection, current: Current, days: int, now: int, group: str | None
) -> numbers.VersionsView:
    """How many machines have which version.

    Args:
        conn: For reading.
        current: What is true now.
        days: How many of them, the last one being today.
        now: The server's clock.
        group: Of this group only.
    """
    asked = uses.span_of(days, now)
    today = asked.stop - 1
    first = build_counts.first_day(conn)
    begins = max(first if first is not None else today, kept.since(conn, "shares") // DAY_S)
    span = range(min(today, max(asked.start, begins)), asked.stop)
    counted = build_counts.kept(conn, group)
    changed = build_counts.days(conn, span.start, group)
    return numbers.view(counted, changed, current.ledger, current.policies, span, group)


def _why_left(conn: Connection, machine: Machine) -> WhyLeft | None:
    cause = telling.cause_of_leaving(conn, machine.id) if machine.left_at is not None else None
    return _LEFT_BY.get(cause) if cause is not None else None


def _refused(conn: Connection) -> tuple[int, str] | None:
    last = next(iter(policies.loads(conn, 1)), None)
    return None if last is None or last.error is None else (last.at, last.error)


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
