"""One machine's row as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from agent.wire import Standing
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
    machines.c.next_token_hash,
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
    machines.c.stand_tag,
    machines.c.paused_until,
    machines.c.unsent_since,
    machines.c.taken_at,
    machines.c.alternations,
    machines.c.told,
    machines.c.standing_since,
    machines.c.due_at,
    machines.c.numbered,
    machines.c.build,
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
    next_token_hash: str | None
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
    stand_tag: str | None
    paused_until: int | None
    unsent_since: int | None
    taken_at: int | None
    alternations: str
    told: Told | None
    standing_since: int | None
    due_at: int | None
    numbered: int
    build: str | None

    def standing(self, held: Held | None) -> Standing:
        """How it stands, given its profile's verdict."""
        if self.exception is not None:
            return self.exception
        return held.standing if held else "unknown"

    def may_change(self, by: int) -> bool:
        """Whether something is true of it alone, and it is looked at again by then."""
        return self.exception is not None and self.due_at is not None and self.due_at <= by

    def stands_since(self, held: Held | None) -> int:
        """Since when it stands as it does: by its own change or by its verdict's."""
        own = self.standing_since or self.enrolled_at
        if self.exception is not None or held is None:
            return own
        # A verdict that is older than the machine's taking it did not move the machine.
        moved = held.since if held.since > (self.profile_since or 0) else 0
        return max(own, moved)


_KEPT = {
    each.name: "group_name" if each.name == "group" else each.name
    for each in fields(Machine)
    if each.name not in presence.c
}
"""The column of each field; those of ``presence`` are written by themselves."""


def differences(old: Machine, new: Machine) -> Mapping[str, object]:
    """The columns of ``machines`` in which a machine differs from what is stored of it."""
    return {
        column: getattr(new, name)
        for name, column in _KEPT.items()
        if getattr(new, name) != getattr(old, name)
    }


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
