"""A database that was put back as it had been: what follows for those who spoke meanwhile.

Between the backup and its restore laptops were acknowledged, and forgot what they had told;
messages were sent; secrets were revoked. None of it is known here any more, so:

* a check-in that goes on from numbers which are not known here is answered with ``resync``
  (`server.store.checkins`): the laptop draws a new epoch and tells anew what it has. What is
  known is still known by its numbers, so that nothing is taken twice;
* the short way of unchanged check-ins is closed until each machine has spoken;
* messages that waited are dropped: whether they were sent after the backup, nobody knows;
* the time between has no history (`server.store.kept`);
* what the database that was replaced says was revoked, is revoked here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, func, insert, or_, select, update

from server.errors import StoreError
from server.store import fleet
from server.store.following import renumber
from server.store.tables import (
    enrolment_secrets,
    listened,
    machines,
    outbox,
    presence,
    restores,
    tokens,
)

DROPPED = "not sent: it waited when the database was backed up, and may have been sent since"
"""The reason of messages that a restore drops."""


@dataclass(frozen=True)
class Revoked:
    """What a database says was taken back, by id, with when.

    Attributes:
        tokens: Of viewers and operators.
        secrets: Of enrolments.
        machines: Machines that left.
    """

    tokens: Mapping[str, int] = field(default_factory=dict)
    secrets: Mapping[str, int] = field(default_factory=dict)
    machines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Resumed:
    """What was done to a database that was put back.

    Attributes:
        backed_up_at: The moment that it is of.
        machines: Live machines, which it knows as they were then.
        messages: Messages that are not sent.
        revoked: Tokens, secrets and machines that were revoked since.
    """

    backed_up_at: int
    machines: int
    messages: int
    revoked: int


@dataclass(frozen=True)
class Restore:
    """The last time that this database was put back.

    Attributes:
        backed_up_at: The moment that it was of.
        restored_at: When.
        unheard: Live machines that have not spoken since.
    """

    backed_up_at: int
    restored_at: int
    unheard: int


def resume(conn: Connection, now: int, revoked: Revoked | None = None) -> Resumed:
    """Makes a database that was put back fit to go on, in one transaction.

    Args:
        conn: The transaction; no server works on the database.
        now: Whole seconds since the epoch.
        revoked: What the database that it replaces says; None where that is not known.
    """
    backed_up_at = _note(conn, now)
    renumber(conn, "ledger", "policies", "references", "listened", "restores")
    conn.execute(update(presence).values(key=None, verdict_id=None))
    number = _revoke(conn, revoked or Revoked(), now)
    live = select(func.count()).where(machines.c.left_at.is_(None))
    waited = outbox.c.delivered_at.is_(None) & outbox.c.dropped_at.is_(None)
    dropped = conn.execute(
        update(outbox).where(waited).values(dropped_at=now, lease_until=None, reason=DROPPED)
    )
    return Resumed(backed_up_at, conn.execute(live).scalar_one(), dropped.rowcount, number)


def last(conn: Connection) -> Restore | None:
    """The last restore; None if there was none."""
    done = restores.c.restored_at.is_not(None)
    row = conn.execute(select(restores).where(done).order_by(restores.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    unheard = (
        select(func.count())
        .select_from(machines.join(presence, presence.c.machine_id == machines.c.id))
        .where(machines.c.left_at.is_(None), presence.c.last_seen <= row.restored_at)
    )
    return Restore(row.backed_up_at, row.restored_at, conn.execute(unheard).scalar_one())


def restored_at(conn: Connection) -> int:
    """When this database was put back last; 0 if it never was.

    Raises:
        StoreError: It is a backup that nobody made fit to go on.
    """
    unfit = select(restores.c.id).where(restores.c.restored_at.is_(None)).limit(1)
    if conn.execute(unfit).first() is not None:
        raise StoreError(
            "the database is a backup that was put in its place by hand",
            advice="run `parity-server restore --by-other-tools` first",
        )
    return conn.execute(select(func.max(restores.c.restored_at))).scalar_one() or 0


def _note(conn: Connection, now: int) -> int:
    """Notes that it was put back; returns the moment that it is of."""
    open_ = restores.c.restored_at.is_(None)
    marked = conn.execute(select(func.max(restores.c.backed_up_at)).where(open_)).scalar_one()
    if marked is None:  # copied by other tools, which leave no mark
        marked = min(now, _latest(conn))
        conn.execute(insert(restores).values(backed_up_at=marked, restored_at=now))
    conn.execute(update(restores).where(open_).values(restored_at=now))
    return int(marked)


def _latest(conn: Connection) -> int:
    """The latest moment at which the database surely was in use."""
    newest = (func.max(presence.c.last_seen), func.max(listened.c.last_at))
    return max(conn.execute(select(each)).scalar_one() or 0 for each in newest)


def _revoke(conn: Connection, revoked: Revoked, now: int) -> int:
    number = _revoke_in(conn, tokens, revoked.tokens)
    number += _revoke_in(conn, enrolment_secrets, revoked.secrets)
    return number + sum(fleet.leave(conn, each, now) for each in sorted(revoked.machines))


def _revoke_in(conn: Connection, table: Table, revoked: Mapping[str, int]) -> int:
    # One by one: they are few, and people made each of them.
    return sum(
        conn.execute(
            update(table)
            .where(table.c.id == each, or_(table.c.revoked_at.is_(None), table.c.revoked_at > at))
            .values(revoked_at=at)
        ).rowcount
        for each, at in revoked.items()
    )
