"""The machine that an operator means: it has to be here, and is looked at once more.

What is written beside a running server is taken in by its jobs: they look, within a second,
at whatever is due.
"""

from sqlalchemy import Connection, select, update

from server.errors import RequestRefused
from server.store.tables import machines, verdicts


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


def look_again(conn: Connection, machine_id: str, now: int) -> None:
    """Has a machine stood anew within a second; one that has left stays as it was."""
    its = (machines.c.id == machine_id) & machines.c.left_at.is_(None)
    conn.execute(update(machines).where(its).values(due_at=now))


def judge_again(conn: Connection, machine_id: str, now: int) -> None:
    """Has a machine stood anew, and the verdict that it follows judged again.

    For who judged by less than a running server knows: the last word is then the server's.
    """
    look_again(conn, machine_id, now)
    pair = select(verdicts.c.id).join(
        machines,
        (machines.c.profile_id == verdicts.c.profile_id)
        & (machines.c.group_name == verdicts.c.group_name),
    )
    followed = verdicts.c.id.in_(pair.where(machines.c.id == machine_id))
    conn.execute(update(verdicts).where(followed).values(next_change_at=now))
