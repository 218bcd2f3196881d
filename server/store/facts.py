"""What is true of one machine only, gathered from where it is kept.

A machine's row holds most of it; its waivers have a table of their own, and when the heads
that its copies follow were read is the ledger's to say. Everybody who stands a machine takes
its facts from here, so that the same machine is never judged by two sets of them.
"""

from dataclasses import replace

from sqlalchemy import Connection, select

from agent.wire import FindingView, Profile
from server.current import Current
from server.machine_facts import MachineFacts
from server.rules.interface import channel_of, is_counted
from server.store.machines import Machine
from server.store.tables import profiles
from server.store.verdicts import read_profile
from server.store.waivers import waivers_of
from server.uptime import unheard_s


def facts_of(conn: Connection, current: Current, machine: Machine, now: int) -> MachineFacts:
    """Everything that `server.standing` asks of one machine.

    Args:
        conn: For reading.
        current: Whose ledger says when the heads were read; and when this server listened.
        machine: As it is stored, or as it is about to be.
        now: Whole seconds since the epoch.
    """
    own = row_facts(machine)
    return replace(
        own,
        unheard_s=unheard_s(current.listened, own.expected_at, now),
        heads_read_at=_heads_read_at(conn, current, machine),
        waivers=waivers_of(conn, machine.id),
    )


def row_facts(machine: Machine) -> MachineFacts:
    """The part of the facts that its row holds."""
    return MachineFacts(
        enrolled_at=machine.enrolled_at,
        last_seen=machine.last_seen,
        agent=machine.agent,
        left=machine.left_at is not None,
        paused_until=machine.paused_until,
        taken_at=machine.taken_at,
        unsent_since=machine.unsent_since,
        alternations=tuple(int(each) for each in machine.alternations.split()),
    )


def profile_of(conn: Connection, machine: Machine) -> Profile | None:
    """The profile that a machine has; None before its first one."""
    body = conn.execute(
        select(profiles.c.body).where(profiles.c.id == machine.profile_id)
    ).scalar_one_or_none()
    return None if body is None else read_profile(body)


def versions_of(
    conn: Connection, machine: Machine, findings: tuple[FindingView, ...]
) -> frozenset[str]:
    """The versions that the installs have which some findings are about."""
    profile = profile_of(conn, machine)
    places = {item.install for item in findings} - {None}
    found = (
        (install.build.version if install.build else None) or install.claimed
        for place, install in enumerate(profile.installs if profile else ())
        if place in places
    )
    return frozenset(version for version in found if version)


def _heads_read_at(conn: Connection, current: Current, machine: Machine) -> int | None:
    """When every head was read that decides about one of the machine's copies.

    Each copy is judged by the source that its own updater follows (facts 2.7): a later
    reading of another source says nothing about it.
    """
    if machine.taken_at is None:
        return None
    ledger = current.ledger
    latest = [head.last_seen for head in ledger.heads()]
    if latest and min(latest) >= machine.taken_at:
        return min(latest)  # all of them: no need to know which ones it follows
    profile = profile_of(conn, machine)
    policy = current.policy(machine.group)
    if profile is None:
        return None
    counted = [each for each in profile.installs if is_counted(each, policy)]
    followed = {(each.method, channel_of(profile, policy, each)) for each in counted}
    deciding = (
        ledger.heads_for(method, channel, machine.taken_at)[:1]
        for method, channel in followed
        if channel is not None
    )
    return min((head.last_seen for heads in deciding for head in heads), default=None)
