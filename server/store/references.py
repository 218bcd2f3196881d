"""Reference machines: which ones stand for what users run, and what they show.

A row of ``reference_machines`` is never deleted while its machine is known: removing a
machine ends its row, adding it again makes another. A machine that has left stands for
nothing, though nobody removed it.

Bytes that no manifest covers may be learned from such a machine. What was learned stays
written down, with its machine as the source, but it counts only as long as that machine stands
for what users run: with it goes every digest for which there is its word alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, literal, or_, select, update

from agent.wire import Profile
from server.errors import RequestRefused
from server.reference import Reference, of_profiles
from server.said import check_group
from server.store.dialect import upsert
from server.store.live import check_live
from server.store.tables import artifacts, machines, profiles, reference_machines

REFERENCES_MAX = 32
"""Most reference machines of a group."""

_SOURCE = "reference "

_profile = msgspec.json.Decoder(Profile)

_LIVE = reference_machines.c.removed_at.is_(None) & machines.c.left_at.is_(None)

_HERE = reference_machines.join(machines, machines.c.id == reference_machines.c.machine_id)


@dataclass(frozen=True)
class ReferenceMachine:
    """A machine that stands for what a group's users run.

    Attributes:
        group: The group that is compared with it.
        machine: Its id.
        label: Its name.
        added_at: Since when.
        profile_id: Its present profile; None before its first one.
        profile: The digest of that profile.
    """

    group: str
    machine: str
    label: str
    added_at: int
    profile_id: int | None
    profile: str | None


def listed(conn: Connection, group: str | None = None) -> tuple[ReferenceMachine, ...]:
    """The reference machines of all groups, or of one, by group and id."""
    query = (
        select(
            reference_machines.c.group_name,
            machines.c.id,
            machines.c.label,
            reference_machines.c.added_at,
            machines.c.profile_id,
            profiles.c.digest,
        )
        .select_from(_HERE.outerjoin(profiles, profiles.c.id == machines.c.profile_id))
        .where(_LIVE)
        .order_by(reference_machines.c.group_name, machines.c.id)
    )
    if group is not None:
        query = query.where(reference_machines.c.group_name == group)
    return tuple(ReferenceMachine(*row) for row in conn.execute(query))


def is_reference(conn: Connection, machine_id: str) -> bool:
    """Whether a machine stands for what users run, in whichever group."""
    return bool(among(conn, (machine_id,)))


def among(conn: Connection, machine_ids: Collection[str]) -> frozenset[str]:
    """Those of some machines that stand for what users run, in whichever group."""
    query = select(machines.c.id).select_from(_HERE).where(machines.c.id.in_(machine_ids), _LIVE)
    return frozenset(conn.execute(query).scalars())


def load(conn: Connection) -> Mapping[str, Reference]:
    """What the reference machines of each group show by their present profiles.

    A machine that has sent no profile yet shows nothing.
    """
    here = listed(conn)
    shown = profiles_of(conn, here)
    by_group: dict[str, list[Profile]] = defaultdict(list)
    for each in here:
        if each.profile_id is not None:
            by_group[each.group].append(shown[each.profile_id])
    return {group: of_profiles(found) for group, found in by_group.items()}


def profiles_of(conn: Connection, here: Iterable[ReferenceMachine]) -> Mapping[int, Profile]:
    """The present profiles of some reference machines, by their ids."""
    wanted = {each.profile_id for each in here if each.profile_id is not None}
    query = select(profiles.c.id, profiles.c.body).where(profiles.c.id.in_(wanted))
    return {row.id: _profile.decode(row.body) for row in conn.execute(query)}


def add(conn: Connection, group: str, machine_id: str, now: int) -> bool:
    """Has a machine stand for what a group's users run.

    Args:
        conn: A writer's transaction.
        group: The group; the machine itself may be in another.
        machine_id: Which machine.
        now: The server's clock.

    Returns:
        Whether it did not before.

    Raises:
        RequestRefused: 422 `group` cannot name a group; 404 there is no such machine, or it
            has left; 409 the group has `REFERENCES_MAX` already.
    """
    check_group(group)
    check_live(conn, machine_id)
    here = listed(conn, group)
    if any(each.machine == machine_id for each in here):
        return False
    if len(here) >= REFERENCES_MAX:
        raise RequestRefused(
            f"the group has {REFERENCES_MAX} reference machines already",
            advice="remove one first",
            status=409,
        )
    row = {"group_name": group, "machine_id": machine_id, "added_at": now}
    # Removed and added again within one second, it was never away.
    conn.execute(
        upsert(reference_machines)
        .values(row)
        .on_conflict_do_update(index_elements=list(row), set_={"removed_at": None})
    )
    return True


def remove(conn: Connection, group: str, machine_id: str, now: int) -> bool:
    """Ends that a machine stands for what a group's users run.

    Returns:
        Whether it did until now.
    """
    done = conn.execute(
        update(reference_machines)
        .where(
            reference_machines.c.group_name == group,
            reference_machines.c.machine_id == machine_id,
            reference_machines.c.removed_at.is_(None),
        )
        .values(removed_at=now)
    )
    return done.rowcount > 0


def forget(conn: Connection, machine_id: str) -> None:
    """Deletes what was learned from a machine that is forgotten: it names the machine."""
    conn.execute(delete(artifacts).where(artifacts.c.source == source_of(machine_id)))


def source_of(machine_id: str) -> str:
    """What artifacts that were learned from a machine name as their source."""
    return f"{_SOURCE}{machine_id}"


def is_vouched() -> ColumnElement[bool]:
    """The condition on ``artifacts`` that somebody stands behind a digest now."""
    vouching = select(literal(_SOURCE) + machines.c.id).select_from(_HERE).where(_LIVE)
    return or_(artifacts.c.trust != "learned", artifacts.c.source.in_(vouching))
