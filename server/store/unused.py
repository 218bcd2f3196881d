"""What nothing refers to any more: profiles, answers about versions, machines that left.

Unlike what only gets old (`server.store.pruning`) these can come into use again at any moment.
They are found by reading, and looked at once more in the transaction that deletes them.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, select

from server.store import fleet
from server.store.tables import (
    assignments,
    lookups,
    machines,
    profiles,
    verdict_log,
    verdicts,
    wanted,
)

WINDOW = 500
"""Profiles that are looked at in one statement."""

SLICE = 50
"""Most profiles, or answers, that are deleted in one transaction."""

_VERSION = re.compile(rb"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Window:
    """Some profiles, in the order of their ids.

    Attributes:
        unused: Those that no machine has or had, or will have as soon as it is told.
        last: The last one looked at; None if there were none left.
    """

    unused: Sequence[int]
    last: int | None


@dataclass(frozen=True)
class Unnamed:
    """Versions that no profile names.

    Attributes:
        versions: The versions.
        last: The last profile that was read for that.
    """

    versions: Collection[str]
    last: int


def unused_profiles(conn: Connection, before: int, after: int) -> Window:
    """Finds profiles without assignment or history among the next few.

    Args:
        conn: For reading.
        before: They came by then.
        after: The id of the last one looked at.
    """
    window = select(profiles.c.id).where(profiles.c.id > after).order_by(profiles.c.id)
    ids = conn.execute(window.limit(WINDOW)).scalars().all()
    if not ids:
        return Window((), None)
    return Window(_unused(conn, profiles.c.id.between(ids[0], ids[-1]), before), ids[-1])


def delete_profiles(conn: Connection, ids: Sequence[int], before: int) -> int:
    """Deletes those that are unused still, with all that was ever said of them.

    Args:
        conn: The writer's transaction.
        ids: As found by `unused_profiles`.
        before: As there.

    Returns:
        How many there were.
    """
    unused = _unused(conn, profiles.c.id.in_(ids), before)
    conn.execute(delete(verdict_log).where(verdict_log.c.profile_id.in_(unused)))
    conn.execute(delete(verdicts).where(verdicts.c.profile_id.in_(unused)))
    conn.execute(delete(profiles).where(profiles.c.id.in_(unused)))
    return len(unused)


def unnamed(conn: Connection, before: int) -> Unnamed:
    """Finds versions whose look-up was answered long ago and that no profile names.

    Reads every profile, if there is any such answer at all.

    Args:
        conn: For reading, in one transaction.
        before: They were answered by then.
    """
    answered = select(lookups.c.version).where(_is_answered(before))
    versions = set(conn.execute(answered).scalars())
    last = 0
    page = select(profiles.c.id, profiles.c.body).order_by(profiles.c.id).limit(WINDOW)
    while versions and (rows := conn.execute(page.where(profiles.c.id > last)).all()):
        versions -= _named(row.body for row in rows)
        last = rows[-1].id
    return Unnamed(versions, last)


def delete_lookups(conn: Connection, found: Unnamed, before: int) -> int:
    """Deletes answers about versions that no profile has come to name meanwhile.

    Args:
        conn: The writer's transaction.
        found: As found by `unnamed`, or some of that.
        before: As there.

    Returns:
        How many there were.
    """
    newer = select(profiles.c.body).where(profiles.c.id > found.last)
    versions = set(found.versions) - _named(conn.execute(newer).scalars())
    where = lookups.c.version.in_(sorted(versions)) & _is_answered(before)
    return conn.execute(delete(lookups).where(where)).rowcount


def left_machines(conn: Connection, before: int, limit: int) -> Sequence[str]:
    """Machines that left by then, and that are not forgotten yet."""
    left = (machines.c.exception == "left") & (machines.c.left_at <= before)
    return conn.execute(select(machines.c.id).where(left).limit(limit)).scalars().all()


def forget(conn: Connection, ids: Sequence[str], now: int) -> int:
    """Forgets machines with all that names them; returns how many there were."""
    return sum(fleet.forget(conn, each, now) for each in ids)


def _unused(conn: Connection, which: ColumnElement[bool], before: int) -> Sequence[int]:
    is_had = select(machines.c.id).where(machines.c.profile_id == profiles.c.id).exists()
    was_had = select(assignments.c.number).where(assignments.c.profile_id == profiles.c.id).exists()
    query = select(profiles.c.id, profiles.c.digest).where(
        which, profiles.c.received_at <= before, ~is_had, ~was_had
    )
    digests = {row.digest: row.id for row in conn.execute(query)}
    # There is no way from a digest to who is asked for it, so it is sought for all at once.
    asked = select(wanted.c.digest).where(wanted.c.digest.in_(digests))
    wished = set(conn.execute(asked).scalars()) if digests else set()
    return sorted(number for digest, number in digests.items() if digest not in wished)


def _is_answered(before: int) -> ColumnElement[bool]:
    is_answered = lookups.c.answered_at >= lookups.c.asked_at
    return is_answered & (func.coalesce(lookups.c.answered_at, 0) <= before)


def _named(bodies: Iterable[bytes]) -> set[str]:
    return {each.decode() for body in bodies for each in _VERSION.findall(body)}
