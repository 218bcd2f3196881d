"""One machine's row as a value, and how it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from agent.wire import FindingView, Standing
from server.machine_facts import MachineFacts
from server.policy import GroupPolicy
from server.rules.interface import MachineCase
from server.rules.not_examined import RULE
from server.standing import dated
from server.store.tables import machines, presence
from server.store.verdicts import Held
from server.transitions import Told

_began = msgspec.json.Decoder(dict[str, int])

_COLUMNS = (
    machines.c.id,
    machines.c.label,
    machines.c.owner,
    machines.c.group_name.label("group"),
    machines.c.token_hash,
    machines.c.enrolled_at,
    machines.c.left_at,
    presence.c.last_seen,
    presence.c.seq,
    machines.c.epoch,
    machines.c.past_epochs,
    machines.c.agent,
    machines.c.claimed,
    machines.c.settled,
    machines.c.profile_id,
    machines.c.profile_since,
    machines.c.began,
    machines.c.exception,
    machines.c.told,
    machines.c.standing_since,
    machines.c.due_at,
    machines.c.numbered,
)

MACHINES = select(*_COLUMNS).join(presence, presence.c.machine_id == machines.c.id)
"""What a `Machine` is made of, to be narrowed by a condition."""


@dataclass(frozen=True)
class Machine:
    """A row of ``machines`` with its ``presence``; the columns are explained there."""

    id: str
    label: str
    owner: str | None
    group: str
    token_hash: str
    enrolled_at: int
    left_at: int | None
    last_seen: int
    seq: int
    epoch: str | None
    past_epochs: str
    agent: str | None
    claimed: str | None
    settled: int
    profile_id: int | None
    profile_since: int | None
    began: str | None
    exception: Standing | None
    told: Told | None
    standing_since: int | None
    due_at: int | None
    numbered: int

    def standing(self, held: Held | None) -> Standing:
        """How it stands, given its profile's verdict."""
        if self.exception is not None:
            return self.exception
        return held.standing if held else "unknown"

    def findings(self, held: Held | None) -> tuple[FindingView, ...]:
        """Its profile's findings, dated for it; first, that it has another profile now."""
        since = self.standing_since if self.exception == "unknown" else None
        facts = MachineFacts(self.enrolled_at, self.last_seen, unsent_since=since)
        case = MachineCase(facts, GroupPolicy(), 0)
        unsent = RULE.examine_machine(case).findings
        if held is None:
            return unsent
        since, began = self.profile_since or 0, read_began(self.began)
        return (*unsent, *dated(held.verdict.findings, since, began))

    def stands_since(self, held: Held | None) -> int:
        """Since when it stands as it does: by its own change or by its verdict's."""
        own = self.standing_since or self.enrolled_at
        if self.exception is not None or held is None:
            return own
        # A verdict that is older than the machine's taking it did not move the machine.
        moved = held.since if held.since > (self.profile_since or 0) else 0
        return max(own, moved)


def machine_of(row: Row[*tuple[Any, ...]]) -> Machine:
    """A row of `MACHINES` as a value."""
    return Machine(**row._asdict())


def find(conn: Connection, machine_id: str) -> Machine | None:
    """The machine with this id, also one that left."""
    row = conn.execute(MACHINES.where(machines.c.id == machine_id)).first()
    return machine_of(row) if row else None


def change(conn: Connection, machine_id: str, values: Mapping[str, object]) -> None:
    """Writes some columns of one machine."""
    conn.execute(update(machines).where(machines.c.id == machine_id).values(values))


def seen(conn: Connection, machine_id: str, values: Mapping[str, object]) -> None:
    """Writes some columns of one machine's presence."""
    conn.execute(update(presence).where(presence.c.machine_id == machine_id).values(values))


def read_began(stored: str | None) -> Mapping[str, int]:
    """When findings began that a machine brought along from its previous profile."""
    return _began.decode(stored) if stored else {}


def write_began(began: Mapping[str, int]) -> str | None:
    """The same as it is stored."""
    return write_taken(began) if began else None


def write_taken(began: Mapping[str, int]) -> str:
    """The same as an assignment keeps it: there it also says that the profile was taken."""
    return msgspec.json.encode(began).decode()
