"""What is recorded and told when one machine's standing changes.

Silence and a pause end nothing: when a machine comes back, people are told how it stands now
against how it stood before it went, and for how long it was away.

What people heard last of a machine is remembered with its verdict, which it shares; an
exception remembers by itself (``machines.told``), since it hears of things at other times. So
does a machine that comes to an unknown verdict of which people heard otherwise than of it.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, or_, select

from agent.wire import Standing
from server.alerts import outbox
from server.standing import finding_key
from server.store.machines import Machine
from server.store.stands import Findings
from server.store.tables import transitions
from server.store.transitions import record
from server.store.verdicts import Held
from server.transitions import AWAY, SETTLED, Told, Transition, cause

GROUP_MOVED = "group-moved"
"""The cause of a change that came with another group."""

UNINSTALLED = "uninstalled"
"""The cause of leaving where its user uninstalled the agent; else that is `left`."""

REPLACED = "replaced"
"""The cause of leaving where another machine took its label."""

_OWN: tuple[Standing, ...] = (*AWAY, "left")


@dataclass(frozen=True)
class Stood:
    """A machine as it stands.

    Attributes:
        machine: Its row.
        verdict: On its profile; None before its first one.
        findings: What holds for it, dated for it.
    """

    machine: Machine
    verdict: Held | None
    findings: Findings

    @property
    def standing(self) -> Standing:
        """The word for it."""
        return self.machine.standing(self.verdict)

    @property
    def drifted(self) -> bool:
        """Whether people last heard of it that it drifts."""
        own = self.machine.told
        shares = self.machine.exception is None and own is None and self.verdict is not None
        return (self.verdict.told if shares and self.verdict else own) == "drifted"


def heard(old: Stood, new: Stood) -> Told | None:
    """What the machine's own row has to remember of what people heard. Pure."""
    drifts = new.standing == "drift" or (new.standing not in SETTLED and old.drifted)
    own: Told | None = "drifted" if drifts else None
    if new.machine.exception is not None:
        return own
    if new.standing != "unknown":
        return None
    of_pair = new.verdict.told if new.verdict else None
    # It tells for the pair what it is told of next; this machine is an exception to that.
    return own or ("healed" if of_pair == "drifted" else None)


def is_change(old: Stood, new: Stood) -> bool:
    """Whether there is anything to tell: standing, first verdict or group. Pure."""
    is_first = _is_unjudged(old) and not _is_unjudged(new)
    return is_first or (old.standing, old.machine.group) != (new.standing, new.machine.group)


def tell(
    conn: Connection, old: Stood, new: Stood, at: int, now: int, why: str | None = None
) -> None:
    """Records a change, and tells people of it as far as it is news for them.

    Args:
        conn: The writer's transaction.
        old: As the machine stood.
        new: As it stands from now on.
        at: When it changed.
        now: The server's clock.
        why: The cause, where somebody said it; None reads it off the change.
    """
    change = transition(old, new, at, now)
    if why is not None:
        change = replace(change, cause=why)
    told = change
    if old.standing in AWAY and new.standing not in AWAY:
        told = replace(change, before=_before_it_went(conn, new.machine.id))
    outbox.tell(conn, told, now)
    record(conn, (change,))


def cause_of_leaving(conn: Connection, machine_id: str) -> str | None:
    """The cause by which a machine left, such as `UNINSTALLED`; None where that is not kept."""
    query = (
        select(transitions.c.cause)
        .where(transitions.c.machine_id == machine_id, transitions.c.after == "left")
        .order_by(transitions.c.id.desc())
        .limit(1)
    )
    cause: str | None = conn.execute(query).scalar_one_or_none()
    return cause


def transition(old: Stood, new: Stood, at: int, now: int) -> Transition:
    """One machine's change of standing. Pure; arguments as in `tell`."""
    machine = new.machine
    is_first = _is_unjudged(old) and not _is_unjudged(new)
    is_back = old.standing in AWAY and new.standing not in _OWN
    return Transition(
        kind="machine",
        at=at,
        group=machine.group,
        profile_id=machine.profile_id,
        before=None if is_first else old.standing,
        after=new.standing,
        told="drifted" if old.drifted else None,
        cause=_cause(old, new),
        machines=1,
        labels=(machine.label,),
        findings=new.findings,
        machine_id=machine.id,
        away_s=now - old.machine.last_seen if is_back else None,
        waiver_ended=_is_waiver_over(old, new),
    )


def _is_unjudged(stood: Stood) -> bool:
    return stood.machine.profile_id is None and stood.standing == "unknown"


def _cause(old: Stood, new: Stood) -> str:
    if new.standing in _OWN:
        return new.standing
    if old.machine.group != new.machine.group:
        return GROUP_MOVED
    return cause(() if old.standing in AWAY else old.findings, new.findings)


def _is_waiver_over(old: Stood, new: Stood) -> bool:
    waived = {finding_key(item) for item in old.findings if item.waived_until is not None}
    return any(item.severity == "drift" and finding_key(item) in waived for item in new.findings)


def _before_it_went(conn: Connection, machine_id: str) -> Standing | None:
    """How a machine stood when it went away; from silence into a pause it stays away."""
    mine = transitions.c.machine_id == machine_id
    was_here = or_(transitions.c.before.is_(None), transitions.c.before.not_in(AWAY))
    query = (
        select(transitions.c.before)
        .where(mine, transitions.c.after.in_(AWAY), was_here)
        .order_by(transitions.c.id.desc())
        .limit(1)
    )
    found: Standing | None = conn.execute(query).scalar_one_or_none()
    return found
