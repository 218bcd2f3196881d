"""Whether the database holds what machines were acknowledged, once. Claims and rows in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from server.store.tables import activity, assignments, machines, presence, profiles
from tests.e2e.crowd import Member


@dataclass(frozen=True)
class Kept:
    """What the database holds of a machine.

    Attributes:
        epoch: The last that was accepted.
        past_epochs: Those before it.
        seq: The last number in it.
        profile: The digest of the profile that it was judged by.
        profiles: The digests of its timeline, the oldest first.
        starts: Of sessions: the sum of its activity.
    """

    epoch: str
    past_epochs: str
    seq: int
    profile: str
    profiles: tuple[str, ...]
    starts: int


def wrong(conn: Connection, members: Iterable[Member]) -> list[str]:
    """What is not as it was acknowledged, in words; every member has had its last answer."""
    rows = dict(_rows(conn))
    return [
        f"{each.machine.label}: told {expected}, kept {kept}"
        for each in members
        if (kept := rows.get(each.machine.label)) != (expected := _expected(each))
    ]


def _expected(member: Member) -> Kept:
    told = member.told
    return Kept(
        epoch=member.machine.epoch,
        past_epochs="",
        seq=told.seq,
        profile=told.profiles[-1],
        profiles=tuple(told.profiles),
        starts=told.starts,
    )


def _rows(conn: Connection) -> Iterator[tuple[str, Kept]]:
    timelines, starts = _timelines(conn), _starts(conn)
    query = (
        select(machines, presence.c.seq, profiles.c.digest)
        .join(presence, presence.c.machine_id == machines.c.id)
        .join(profiles, profiles.c.id == machines.c.profile_id)
    )
    for row in conn.execute(query):
        build = f"{int(row.label.rpartition('-')[2]):064x}"
        yield (
            row.label,
            Kept(
                epoch=row.epoch,
                past_epochs=row.past_epochs,
                seq=row.seq,
                profile=row.digest,
                profiles=tuple(timelines[row.id]),
                starts=starts.get(build, 0),
            ),
        )


def _timelines(conn: Connection) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    query = (
        select(assignments.c.machine_id, profiles.c.digest)
        .join(profiles, profiles.c.id == assignments.c.profile_id)
        .order_by(assignments.c.machine_id, assignments.c.number)
    )
    for machine, name in conn.execute(query):
        found.setdefault(machine, []).append(name)
    return found


def _starts(conn: Connection) -> Mapping[str, int]:
    sums = select(activity.c.build, func.sum(activity.c.starts)).group_by(activity.c.build)
    return {build: int(count) for build, count in conn.execute(sums)}
