"""Waivers as rows: given, taken back, told.

A row stays as long as its machine is known. Only one of its columns ever changes, and only
towards the past: ``until``, when a person takes the waiver back. To hold for longer takes
another waiver, with a reason of its own.
"""

from sqlalchemy import Connection, select

from server.store.tables import waivers
from server.waivers import Waiver

_WAIVER = (
    waivers.c.id,
    waivers.c.code,
    waivers.c.subject,
    waivers.c.reason,
    waivers.c.person,
    waivers.c.since,
    waivers.c.until,
)


def waivers_of(conn: Connection, machine_id: str) -> tuple[Waiver, ...]:
    """Every waiver that a machine was ever given, oldest first."""
    query = (
        select(*_WAIVER)
        .where(waivers.c.machine_id == machine_id)
        .order_by(waivers.c.since, waivers.c.id)
    )
    return tuple(Waiver(*row) for row in conn.execute(query))
