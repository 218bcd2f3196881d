"""What of the past is here: from which moment on, and what a restore took away.

Every question about a moment asks this first: a moment that is not kept has no answer, and
what happens to be left of it must not pass for one.
"""

from sqlalchemy import Connection, select

from server.retention import Kind, Unkept
from server.store.dialect import upsert
from server.store.tables import horizons, restores


def since(conn: Connection, kind: Kind) -> int:
    """From which moment on something is whole; 0 while nothing of it was deleted."""
    query = select(horizons.c.since).where(horizons.c.kind == kind)
    return conn.execute(query).scalar_one_or_none() or 0


def reached(conn: Connection, what: str) -> int:
    """How far pruning came, in the order in which that is walked; 0 before the first time."""
    query = select(horizons.c.reached).where(horizons.c.kind == what)
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


def reach(conn: Connection, what: str, reached: int) -> None:
    """Notes how far pruning came with a table, or a kind."""
    statement = upsert(horizons).values(kind=what, since=0, reached=reached)
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
