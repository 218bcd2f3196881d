"""Questions of the pages, the API and the commands: rows to values, on a reading connection.

How many machines stand how is `server.store.counts.standings`; a machine's history is
`server.store.timeline`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from agent.wire import HeadView, MachineView, Profile, Standing, WaiverView
from server.current import Current
from server.judge import view_installs
from server.policy import MACHINE, GroupPolicy
from server.rules.interface import channel_of
from server.standing import READ_AGAIN_S
from server.store.acks import tag_of
from server.store.machines import Machine, find
from server.store.moves import held_by
from server.store.references import is_reference
from server.store.stands import told
from server.store.tables import machines, presence, profiles, verdicts
from server.store.verdicts import read_profile
from server.store.waivers import waivers_of

PAGE_MAX = 500
"""Most machines on one page."""

LOOKED_AT_MAX = 5_000
"""Most machines that a page is picked from: else the last few of a large fleet take seconds."""


@dataclass(frozen=True)
class MachineRow:
    """A machine in a list.

    Attributes:
        id: Its id.
        label: Its name.
        owner: Who to ask about it.
        group: Its group.
        standing: How it stands.
        agent: The agent's version at its last check-in.
        last_seen: The last acknowledged check-in, or its enrolment.
        profile: Digest of its profile; None before the first one.
    """

    id: str
    label: str
    owner: str | None
    group: str
    standing: Standing
    agent: str | None
    last_seen: int
    profile: str | None


_stands = func.coalesce(machines.c.exception, verdicts.c.standing, "unknown")

_ROWS = (
    select(
        machines.c.id,
        machines.c.label,
        machines.c.owner,
        machines.c.group_name,
        _stands,
        machines.c.agent,
        presence.c.last_seen,
        profiles.c.digest,
    )
    .select_from(machines)
    .join(presence, presence.c.machine_id == machines.c.id)
    .outerjoin(profiles, profiles.c.id == machines.c.profile_id)
    .outerjoin(
        verdicts,
        (verdicts.c.profile_id == machines.c.profile_id)
        & (verdicts.c.group_name == machines.c.group_name),
    )
)


def machines_page(
    conn: Connection,
    *,
    after: str = "",
    upto: str | None = None,
    limit: int = PAGE_MAX,
    group: str | None = None,
    standing: Standing | None = None,
) -> Sequence[MachineRow]:
    """Machines in the order of their ids.

    Args:
        conn: For reading.
        after: The last id of the page before.
        upto: No id beyond this one.
        limit: Most rows, up to `PAGE_MAX`.
        group: Only machines of this group.
        standing: Only machines that stand so.
    """
    query = _ROWS.where(machines.c.id > after).order_by(machines.c.id)
    if upto is not None:
        query = query.where(machines.c.id <= upto)
    if group is not None:
        query = query.where(machines.c.group_name == group)
    if standing is not None:
        query = query.where(_stands == standing)
    return [MachineRow(*row) for row in conn.execute(query.limit(min(limit, PAGE_MAX)))]


def bound(conn: Connection, after: str, number: int = LOOKED_AT_MAX) -> str | None:
    """The id up to which so many machines come after one; None where no more than these do.

    Args:
        conn: For reading.
        after: The last id of the page before.
        number: How many, at least 1.
    """
    query = select(machines.c.id).where(machines.c.id > after).order_by(machines.c.id)
    found = conn.execute(query.offset(number - 1).limit(2)).scalars().all()
    return found[0] if len(found) > 1 else None


def machine_named(conn: Connection, name: str) -> str | None:
    """The id of the machine with this id, or of the live one with this label."""
    query = select(machines.c.id).where(
        or_(machines.c.id == name, (machines.c.label == name) & machines.c.left_at.is_(None))
    )
    # An id wins over a label that looks like it.
    found: str | None = conn.execute(query.order_by(machines.c.id != name).limit(1)).scalar()
    return found


def machine_once_named(conn: Connection, label: str) -> str | None:
    """The id of the machine that left last of those that had this label."""
    query = select(machines.c.id).where(machines.c.label == label, machines.c.left_at.is_not(None))
    found: str | None = conn.execute(query.order_by(machines.c.left_at.desc()).limit(1)).scalar()
    return found


def machine_view(
    conn: Connection, current: Current, machine_id: str, now: int
) -> MachineView | None:
    """One machine with its findings and installs; None if there is none with this id."""
    machine = find(conn, machine_id)
    if machine is None:
        return None
    verdict, policy = held_by(conn, machine), current.policy(machine.group)
    digest, profile = _profile(conn, machine)
    channel = _channel(profile, policy)
    return MachineView(
        machine=machine.id,
        label=machine.label,
        group=machine.group,
        standing=machine.standing(verdict),
        since=machine.stands_since(verdict),
        tag=tag_of(verdict.tag if verdict else None, machine.exception, machine.stand_tag),
        judged_at=now,
        profile=digest,
        settling=bool((verdict and verdict.settling) or not machine.settled)
        or machine.may_change(now + READ_AGAIN_S),
        owner=machine.owner,
        agent=machine.agent,
        last_seen=machine.last_seen if machine.epoch else None,
        findings=told(conn, policy, machine, verdict, now),
        installs=view_installs(profile, policy, current.ledger) if profile else (),
        config=profile.config if profile else None,
        heads=_heads(current, channel),
        channel=channel,
        waivers=_waivers(conn, machine, now),
        paused_until=machine.paused_until if machine.exception == "paused" else None,
        is_reference=is_reference(conn, machine.id),
    )


def _profile(conn: Connection, machine: Machine) -> tuple[str | None, Profile | None]:
    query = select(profiles.c.digest, profiles.c.body).where(profiles.c.id == machine.profile_id)
    row = conn.execute(query).first()
    return (row.digest, read_profile(row.body)) if row else (None, None)


def _channel(profile: Profile | None, policy: GroupPolicy) -> str | None:
    if profile is not None:
        return channel_of(profile, policy)
    return None if policy.channel == MACHINE else policy.channel


def _heads(current: Current, channel: str | None) -> tuple[HeadView, ...]:
    return tuple(
        HeadView(head.channel, head.source, head.version, head.first_seen, head.last_seen)
        for head in (current.ledger.heads(channel) if channel else ())
    )


def _waivers(conn: Connection, machine: Machine, now: int) -> tuple[WaiverView, ...]:
    return tuple(
        WaiverView(
            each.id, each.code, each.reason, each.person, each.since, each.until, each.subject
        )
        for each in waivers_of(conn, machine.id)
        if each.holds(now)
    )
