"""What of the past is here: from which moment on, and what a restore took away.

Every question about a moment asks this first: a moment that is not kept has no answer, and
what happens to be left of it must not pass for one.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from server.store.dialect import upsert
from server.store.tables import horizons, restores

Kind = Literal["history", "shares", "share minutes", "activity", "messages", "look-ups", "profiles"]
"""What has a horizon of its own; the setting of that name says how many days back it lies."""


@dataclass(frozen=True)
class Unkept:
    """Why a moment is not known.

    Attributes:
        until: From when on it is known again, in whole seconds since the epoch.
        lost_from: The moment of the backup that the database was put back from at `until`;
            None where the moment is simply too long ago.
    """

    until: int
    lost_from: int | None = None


def since(conn: Connection, kind: Kind) -> int:
    """From which moment on something is whole; 0 while nothing of it was deleted."""
    query = select(horizons.c.since).where(horizons.c.kind == kind)
    return conn.execute(query).scalar_one_or_none() or 0


def reached(conn: Connection, kind: Kind) -> int:
    """How far pruning came, in the order that its kind is walked in; 0 before the first time."""
    query = select(horizons.c.reached).where(horizons.c.kind == kind)
    return conn.execute(query).scalar_one_or_none() or 0


def move(conn: Connection, kind: Kind, since: int) -> None:
    """Says that nothing before a moment is promised any more; never moves back.

    Committed before the first row goes: no answer may rest on half of them.
    """
    statement = upsert(horizons).values(kind=kind, since=since)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["kind"],
            set_={"since": since},
            where=horizons.c.since < since,
        )
    )


def reach(conn: Connection, kind: Kind, reached: int) -> None:
    """Notes how far pruning came."""
    statement = upsert(horizons).values(kind=kind, since=0, reached=reached)
    conn.execute(
        statement.on_conflict_do_update(index_elements=["kind"], set_={"reached": reached})
    )


def unkept(conn: Connection, kind: Kind, at: int) -> Unkept | None:
    """Why a moment is not known; None where it is.

    Args:
        conn: For reading.
        kind: What is asked about.
        at: Whole seconds since the epoch.
    """
    begins = since(conn, kind)
    if at < begins:
        return Unkept(begins)
    query = (
        select(restores.c.backed_up_at, restores.c.restored_at)
        .where(restores.c.backed_up_at < at, restores.c.restored_at > at)
        .order_by(restores.c.restored_at.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    return Unkept(row.restored_at, row.backed_up_at) if row is not None else None
