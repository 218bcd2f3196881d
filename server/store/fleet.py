"""What befalls machines besides their check-ins: silence, leaving, being forgotten.

Every function takes the writer's open transaction and leaves the counts right in it.
"""

from dataclasses import replace

from sqlalchemy import Connection, delete, update

from server.current import Current
from server.machine_facts import MachineFacts
from server.standing import stand
from server.store.machines import MACHINES, change, find, machine_of
from server.store.moves import count_in, held_by, move
from server.store.tables import (
    assignments,
    machines,
    outbox,
    presence,
    profiles,
    transitions,
    wanted,
)


def fall_silent(conn: Connection, current: Current, now: int, limit: int) -> int:
    """Looks at machines whose timer is due: some fell silent, the others spoke since.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        now: The server's clock.
        limit: Most machines to look at; call again while so many were.

    Returns:
        How many were looked at.
    """
    due = conn.execute(
        MACHINES.where(machines.c.due_at <= now).order_by(machines.c.due_at).limit(limit)
    ).all()
    for row in due:
        machine = machine_of(row)
        verdict = held_by(conn, machine)
        facts = MachineFacts(machine.enrolled_at, machine.last_seen)
        stands = stand(
            verdict.verdict if verdict else None, facts, current.policy(machine.group), now
        )
        exception = stands.standing if stands.is_exception else machine.exception
        later = replace(machine, exception=exception, due_at=stands.next_change_at)
        move(conn, (machine, verdict), (later, verdict), now, now)
    return len(due)


def leave(conn: Connection, machine_id: str, now: int) -> bool:
    """Revokes a machine: its token ends, its history stays, its label is free again.

    Returns:
        Whether there was such a machine that had not left.
    """
    machine = find(conn, machine_id)
    if machine is None or machine.left_at is not None:
        return False
    verdict = held_by(conn, machine)
    change(conn, machine_id, {"left_at": now})
    conn.execute(delete(wanted).where(wanted.c.machine_id == machine_id))
    move(
        conn,
        (machine, verdict),
        (replace(machine, exception="left", due_at=None), verdict),
        now,
        now,
    )
    return True


def forget(conn: Connection, machine_id: str, now: int) -> bool:
    """Deletes a machine with its timeline, as if it had never been.

    Returns:
        Whether there was such a machine.
    """
    machine = find(conn, machine_id)
    if machine is None:
        return False
    count_in(conn, (machine, held_by(conn, machine)), -1, now)
    conn.execute(delete(outbox).where(outbox.c.topic == f"machine {machine_id}"))
    for table in (wanted, assignments, transitions, presence):
        conn.execute(delete(table).where(table.c.machine_id == machine_id))
    conn.execute(update(profiles).where(profiles.c.sent_by == machine_id).values(sent_by=None))
    conn.execute(delete(machines).where(machines.c.id == machine_id))
    return True
