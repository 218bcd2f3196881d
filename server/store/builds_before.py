"""What a server of the schema before moved after the migration: counted anew, once.

It goes on while the schema is migrated, and knows no builds: what it let take a profile, moved,
let go or forgot after the migration had counted it, is counted as it was. None such works
beside a server of this schema, whose first one draws the first term (`server.leader`): so it
does this before, and then it is right for good.
"""

from sqlalchemy import Connection, or_, select, update

from server.retention import DAY_S
from server.store import build_counts
from server.store.following import looked_at
from server.store.moves import build_of
from server.store.tables import machines

_IS_COUNTED = machines.c.profile_id.is_not(None) & machines.c.left_at.is_(None)


def count_anew(conn: Connection, now: int) -> None:
    """Makes builds and their counts right, unless a server that keeps them has led before.

    Its cost grows with the fleet, and with the profiles that were taken since the migration.

    Args:
        conn: The writer's transaction.
        now: The server's clock.
    """
    if looked_at(conn).term:
        return
    has_left = machines.c.left_at.is_not(None) & machines.c.build.is_not(None)
    conn.execute(update(machines).where(has_left).values(build=None))
    for profile_id in _taken_since(conn):
        build = build_of(conn, profile_id)
        conn.execute(
            update(machines)
            .where(_IS_COUNTED, machines.c.profile_id == profile_id)
            .where(or_(machines.c.build.is_(None), machines.c.build != build))
            .values(build=build)
        )
    build_counts.count(conn, build_counts.missing(conn), now)


def _taken_since(conn: Connection) -> list[int]:
    """The profiles that machines took since the migration, by which the log of builds begins."""
    begins = build_counts.first_day(conn) or 0
    # A day more: the migration went by the clock of another machine, perhaps.
    taken = machines.c.taken_at >= (begins - 1) * DAY_S
    query = select(machines.c.profile_id).distinct().where(_IS_COUNTED, taken)
    return list(conn.execute(query).scalars())
