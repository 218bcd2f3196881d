"""What befalls machines besides their check-ins: time, waivers, groups, leaving.

Every function takes the writer's open transaction and leaves the counts right in it.
"""

from dataclasses import replace

import structlog
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import OperationalError

from server.current import Current
from server.policy import GroupPolicy
from server.store import references, wishes
from server.store.facts import row_facts
from server.store.machines import MACHINES, Machine, change, find, machine_of
from server.store.moves import count_in, held_by, move, regroup, settle, stood
from server.store.stands import tag_of_findings, told
from server.store.tables import (
    assignments,
    machines,
    outbox,
    presence,
    profiles,
    reference_machines,
    stands,
    transitions,
    waivers,
    wanted,
)
from server.store.telling import UNINSTALLED, Stood
from server.store.verdicts import FAILED_AGAIN_S

_log = structlog.stdlib.get_logger("server.fleet")

_OF_ONE = (wanted, assignments, stands, transitions, waivers, reference_machines, presence)
"""Every table whose rows belong to one machine."""


def stand_due(conn: Connection, current: Current, now: int, limit: int) -> int:
    """Stands machines anew whose timer is due: whatever time, or the public truth, changed.

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
    for machine in map(machine_of, due):
        try:
            with conn.begin_nested():
                _stand(conn, current, machine, now)
        except OperationalError:
            raise
        except Exception:  # noqa: BLE001 - one machine must not keep the others from being stood
            _log.exception("not stood", machine=machine.id)
            change(conn, machine.id, {"due_at": now + FAILED_AGAIN_S})
    return len(due)


def _stand(conn: Connection, current: Current, machine: Machine, now: int) -> None:
    old = stood(conn, current, machine, now)
    settle(conn, current, old, (machine, old.verdict), now, now)


def restand(conn: Connection, current: Current, machine_id: str, now: int) -> None:
    """Stands one machine anew: something that is true of it only has changed.

    A machine that has left, or that there is none of, stays as it is.
    """
    machine = find(conn, machine_id)
    if machine is not None and machine.left_at is None:
        _stand(conn, current, machine, now)


def move_to_group(
    conn: Connection, current: Current, machine_id: str, group: str, now: int
) -> bool:
    """Puts a machine into another group: it takes its profile there.

    Returns:
        Whether there is such a machine that has not left.
    """
    old = find(conn, machine_id)
    if old is None or old.left_at is not None:
        return False
    if old.group == group:
        return True
    number = old.numbered
    # A profile that was told and has not been sent yet comes after this in the timeline.
    later = wishes.put_off(conn, machine_id, old.claimed, number + 1)
    moved = replace(old, group=group, numbered=number + 1 + later)
    regroup(conn, current, old, moved, number, now)
    return True


def leave(conn: Connection, machine_id: str, now: int, why: str | None = None) -> bool:
    """Revokes a machine: its token ends, its history stays, its label is free again.

    What held for it when it left is told of it from then on.

    Args:
        conn: The writer's transaction.
        machine_id: Which one.
        now: The server's clock.
        why: The cause that its transition keeps, such as `server.store.telling.UNINSTALLED`;
            None where an operator ended it.

    Returns:
        Whether there was such a machine that had not left.
    """
    machine = find(conn, machine_id)
    if machine is None or machine.left_at is not None:
        return False
    verdict = held_by(conn, machine)
    # No policy takes away or adds what its verdict, or it alone, was found to be.
    findings = told(conn, GroupPolicy(), machine, verdict, now)
    conn.execute(delete(wanted).where(wanted.c.machine_id == machine_id))
    left = replace(
        machine,
        left_at=now,
        exception="left",
        stand_tag=tag_of_findings("left", findings),
        due_at=None,
        build=None,
    )
    move(conn, Stood(machine, verdict, findings), Stood(left, verdict, findings), now, now, why)
    return True


def leave_all(conn: Connection, secret_id: str, now: int, limit: int) -> int:
    """Revokes live machines that one enrolment secret enrolled.

    Args:
        conn: The writer's transaction.
        secret_id: The secret's.
        now: The server's clock.
        limit: Most machines to revoke; call again while so many were.

    Returns:
        How many were.
    """
    theirs = select(machines.c.id).where(
        machines.c.secret_id == secret_id, machines.c.left_at.is_(None)
    )
    found = conn.execute(theirs.limit(limit)).scalars().all()
    for machine_id in found:
        leave(conn, machine_id, now)
    return len(found)


def say_goodbye(conn: Connection, current: Current, machine: Machine, now: int) -> None:
    """A laptop lets go of its machine, by its user's word: the machine leaves.

    While two laptops seem to share it, it stays for the other one: else enrolling one of a
    disk's copies anew would end them all.
    """
    shared_until = row_facts(machine).cloned_until
    if shared_until is None or shared_until <= now:
        leave(conn, machine.id, now, UNINSTALLED)
        return
    old = stood(conn, current, machine, now)
    # Whoever is left draws one more epoch; if more than one is left, they alternate again.
    apart = replace(machine, alternations="")
    settle(conn, current, old, (apart, old.verdict), now, now)


def forget(conn: Connection, machine_id: str, now: int) -> bool:
    """Deletes a machine with its timeline, as if it had never been.

    Returns:
        Whether there was such a machine.
    """
    machine = find(conn, machine_id)
    if machine is None:
        return False
    count_in(conn, machine, held_by(conn, machine), -1, now)
    conn.execute(delete(outbox).where(outbox.c.topic == f"machine {machine_id}"))
    references.forget(conn, machine_id)
    for table in _OF_ONE:
        conn.execute(delete(table).where(table.c.machine_id == machine_id))
    conn.execute(update(profiles).where(profiles.c.sent_by == machine_id).values(sent_by=None))
    conn.execute(delete(machines).where(machines.c.id == machine_id))
    return True
