"""All timers of some groups ring: time works otherwise for their machines from now on.

That they are to ring is written with its cause: a policy of other times, or a clock that was
set back. They ring later, a few at a time, in the order of the machines' ids; each transaction
keeps how far that came, so that whoever leads after a crash goes on from there.

What is asked for meanwhile makes all of it begin anew: a machine that was looked at twice
stands as it did.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, or_, select, update

from server.store.dialect import upsert
from server.store.tables import counts, machines, presence, rings


def ask(conn: Connection, groups: Iterable[str] | None = None) -> None:
    """Has all machines of some groups looked at again, as soon as their timers rang.

    Args:
        conn: The writer's transaction.
        groups: Whose machines; None for all.
    """
    if groups is None:
        groups = conn.execute(select(counts.c.group_name).distinct()).scalars().all()
    conn.execute(update(rings).values(reached=""))
    for group in sorted(groups):
        statement = upsert(rings).values(group_name=group, reached="")
        conn.execute(statement.on_conflict_do_nothing())


def are_asked(conn: Connection) -> bool:
    """Whether timers are to ring."""
    return conn.execute(select(rings.c.group_name).limit(1)).first() is not None


def ring(conn: Connection, now: int, limit: int) -> bool:
    """Rings the next timers of those that are to.

    Args:
        conn: The writer's transaction.
        now: The server's clock.
        limit: Most machines to pass.

    Returns:
        Whether some are left.
    """
    asked = conn.execute(select(rings)).all()
    if not asked:
        return False
    reached = min(row.reached for row in asked)
    after = select(machines.c.id).where(machines.c.id > reached).order_by(machines.c.id)
    ids = conn.execute(after.limit(limit)).scalars().all()
    if ids:
        _ring(conn, (reached, ids[-1]), [row.group_name for row in asked], now)
    if len(ids) < limit:
        conn.execute(delete(rings))
        return False
    conn.execute(update(rings).values(reached=ids[-1]))
    return True


def _ring(conn: Connection, span: tuple[str, str], groups: Iterable[str], now: int) -> None:
    after, last = span
    # Nobody spoke later than now: who last did by another clock would be silent too late.
    spoke = (presence.c.machine_id > after) & (presence.c.machine_id <= last)
    conn.execute(update(presence).where(spoke, presence.c.last_seen > now).values(last_seen=now))
    theirs = (machines.c.id > after) & (machines.c.id <= last) & machines.c.group_name.in_(groups)
    is_later = or_(machines.c.due_at.is_(None), machines.c.due_at > now)
    conn.execute(
        update(machines).where(theirs, machines.c.left_at.is_(None), is_later).values(due_at=now)
    )
