"""What holds for machines of which something is true that is true of no other, as rows.

``stands`` is append-only: a row whenever a machine becomes such an exception, its findings
change, or it stands as its verdict says again. What the machine's page, its alerts and its
history tell of an exception is its latest row, so that they never tell different things.
"""

import msgspec
from sqlalchemy import Connection, insert, select

from agent.digest import of_value
from agent.wire import FindingView, Standing
from server.policy import GroupPolicy
from server.standing import dated, shared
from server.store.facts import row_facts
from server.store.machines import Machine, read_began
from server.store.tables import stands
from server.store.verdicts import Held

_findings = msgspec.json.Decoder(tuple[FindingView, ...])

Findings = tuple[FindingView, ...]


def told(
    conn: Connection, policy: GroupPolicy, machine: Machine, held: Held | None, now: int
) -> Findings:
    """What holds for a machine as it was last told: its findings, dated for it.

    Args:
        conn: For reading.
        policy: Its group's.
        machine: As it is stored.
        held: The verdict on its profile; None before its first one.
        now: Whole seconds since the epoch.
    """
    stored = _latest(conn, machine.id) if machine.exception is not None else None
    if stored is not None:
        return read_findings(stored)
    verdict = held.verdict if held else None
    return dated_for(machine, shared(verdict, row_facts(machine), policy, now))


def dated_for(machine: Machine, findings: Findings) -> Findings:
    """Findings with the `since` that holds for this machine."""
    return dated(findings, machine.profile_since or 0, read_began(machine.began))


def tag_of_findings(standing: Standing, findings: Findings) -> str:
    """Names what holds for an exception: 16 hex digits."""
    return of_value((standing, findings)).removeprefix("sha256:")[:16]


def record_stand(conn: Connection, machine: Machine, findings: Findings, now: int) -> None:
    """Notes how a machine stands from now on, in the transaction that made it so.

    Args:
        conn: The writer's transaction.
        machine: As it is now; without an exception it stands as its verdict says.
        findings: What holds for it, dated for it.
        now: The server's clock.
    """
    body = None if machine.exception is None else msgspec.json.encode(findings)
    conn.execute(
        insert(stands).values(machine_id=machine.id, at=now, exception=machine.exception, body=body)
    )


def read_findings(body: bytes) -> Findings:
    """The findings that a row of ``stands`` holds."""
    return _findings.decode(body)


def _latest(conn: Connection, machine_id: str) -> bytes | None:
    query = (
        select(stands.c.body)
        .where(stands.c.machine_id == machine_id)
        # Not by time: a clock that was set back must not bring an older row to the front.
        .order_by(stands.c.id.desc())
        .limit(1)
    )
    body: bytes | None = conn.execute(query).scalar_one_or_none()
    return body
