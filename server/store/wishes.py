"""Profiles that machines named and nobody has sent yet (see `server.store.steps`)."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from server.store.steps import Step
from server.store.tables import assignments, profiles, wanted


def ids_of(conn: Connection, digests: Iterable[str]) -> Mapping[str, int]:
    """The ids of those profiles that are known."""
    rows = conn.execute(
        select(profiles.c.digest, profiles.c.id).where(profiles.c.digest.in_(set(digests)))
    )
    return {row.digest: row.id for row in rows}


def wished(conn: Connection, machine_id: str) -> Sequence[Step]:
    """What is wished of a machine, in the order in which it told."""
    rows = conn.execute(
        select(wanted.c.digest, wanted.c.taken_at, wanted.c.number, wanted.c.asked_at)
        .where(wanted.c.machine_id == machine_id)
        .order_by(wanted.c.number)
    )
    return [Step(*row) for row in rows]


def lacking(conn: Connection, machine_id: str, present: str | None) -> tuple[str, ...]:
    """The digests to ask a machine for, the present one first."""
    query = (
        select(wanted.c.digest)
        .outerjoin(profiles, profiles.c.digest == wanted.c.digest)
        .where(wanted.c.machine_id == machine_id, profiles.c.id.is_(None))
        .order_by(wanted.c.digest != present, wanted.c.number.desc())
    )
    return tuple(conn.execute(query).scalars())


def is_wished(conn: Connection, machine_id: str, digest: str) -> bool:
    """Whether a machine was asked for a profile."""
    query = select(wanted.c.digest).where(
        wanted.c.machine_id == machine_id, wanted.c.digest == digest
    )
    return conn.execute(query).first() is not None


def has_taken(conn: Connection, machine_id: str, digest: str) -> bool:
    """Whether a profile is in a machine's timeline."""
    query = (
        select(assignments.c.number)
        .join(profiles, profiles.c.id == assignments.c.profile_id)
        .where(assignments.c.machine_id == machine_id, profiles.c.digest == digest)
        .limit(1)
    )
    return conn.execute(query).first() is not None


def replace(conn: Connection, machine_id: str, steps: Sequence[Step]) -> None:
    """Makes these, and no others, what is wished of a machine."""
    conn.execute(delete(wanted).where(wanted.c.machine_id == machine_id))
    if steps:
        conn.execute(
            insert(wanted),
            [
                {
                    "machine_id": machine_id,
                    "digest": step.digest,
                    "taken_at": step.at,
                    "number": step.number,
                    "asked_at": step.asked_at,
                }
                for step in steps
            ],
        )


def put_off(conn: Connection, machine_id: str, digest: str | None, number: int) -> int:
    """Gives a profile that is wished for a later place in the machine's timeline.

    Returns:
        How many places that took: one if it is wished for, else none.
    """
    its = (wanted.c.machine_id == machine_id) & (wanted.c.digest == digest)
    return conn.execute(update(wanted).where(its).values(number=number)).rowcount
