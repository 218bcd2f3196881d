"""The machine that an operator means: it has to be here."""

from sqlalchemy import Connection, select

from server.errors import RequestRefused
from server.store.tables import machines


def check_live(conn: Connection, machine_id: str) -> str:
    """Looks whether a machine is enrolled and has not left.

    Returns:
        Its label.

    Raises:
        RequestRefused: 404 there is none with this id; 409 it has left.
    """
    query = select(machines.c.label, machines.c.left_at).where(machines.c.id == machine_id)
    row = conn.execute(query).first()
    if row is None:
        raise RequestRefused(
            "there is no machine with this id", advice="see GET /v1/machines", status=404
        )
    if row.left_at is not None:
        raise RequestRefused("this machine has left", advice="name one that is here", status=409)
    label: str = row.label
    return label
