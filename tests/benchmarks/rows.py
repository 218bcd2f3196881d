"""What a database has of each machine, to tell whether anything was written of one.

Check-ins may go on meanwhile: when they were and their numbers are left out.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from server.store.tables import assignments, machines, presence, stands, transitions


@dataclass(frozen=True)
class Rows:
    """What there is of machines.

    Attributes:
        by_machine: Each row, with its presence, by a hash.
        histories: How many rows their histories have.
    """

    by_machine: dict[str, int]
    histories: int


def of_machines(conn: Connection) -> Rows:
    """Reads all of them."""
    # A check-in writes when it was seen and its number; only these may change.
    query = select(machines, presence.c.key, presence.c.verdict_id).join_from(
        machines, presence, presence.c.machine_id == machines.c.id
    )
    told = conn.execution_options(yield_per=10_000).execute(query)
    histories = (
        select(func.count()).select_from(assignments),
        select(func.count()).select_from(stands),
        select(func.count()).select_from(transitions).where(transitions.c.machine_id.is_not(None)),
    )
    return Rows(
        {row.id: hash(tuple(row)) for row in told},
        sum(conn.scalar(each) or 0 for each in histories),
    )


def written(before: Rows, after: Rows) -> int:
    """How many were written in between."""
    others = sum(after.by_machine[id_] != row for id_, row in before.by_machine.items())
    return others + after.histories - before.histories
