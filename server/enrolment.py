"""How a machine becomes known: a secret from the operator, a token for the machine.

The secret decides the group. It is checked by its hash, has an end, may have a quota, and can
be revoked without touching the machines that it enrolled, or with them.

A label is one live machine's. Who has a secret cannot take it from a laptop that speaks: its
place is given to another machine in two cases only, and the old one then leaves, `replaced`:

* the secret was made to replace the machine of this label: the operator's word;
* the old machine is silent, and the new one has its owner and comes by a secret of its group:
  a laptop that was installed anew under its old name, say.

What an enrolment answers with is `server.machine_tokens`'s.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest

from sqlalchemy import Connection, insert, or_, select, update

from agent.wire import WIRE_VERSIONS, Enrolled, Enrolment
from server import machine_tokens
from server.current import Current
from server.errors import RequestRefused
from server.store import fleet
from server.store.counts import count
from server.store.machines import MACHINES, machine_of
from server.store.tables import enrolment_secrets, machines, presence
from server.store.telling import REPLACED
from server.tokens import hash_token, secret_of


@dataclass(frozen=True)
class EnrolmentSecret:
    """An enrolment secret as an operator sees it.

    Attributes:
        id: Names it in commands; no secret.
        group: The group of the machines that it enrols.
        created_at: When it was made.
        revoked_at: When it was ended by an operator; None if never.
        ends_at: When it ends by itself; None if it does not.
        uses_max: How many machines it enrols at most; None for any number.
        uses: How many it has enrolled.
        last_used_at: When it enrolled the last one; None before the first.
        replaces: The one label that it enrols, in place of the live machine's; None for any
            label that is free.
    """

    id: str
    group: str
    created_at: int
    revoked_at: int | None
    ends_at: int | None
    uses_max: int | None
    uses: int
    last_used_at: int | None
    replaces: str | None


_table = enrolment_secrets.c
_SECRETS = select(
    _table.id,
    _table.group_name,
    _table.created_at,
    _table.revoked_at,
    _table.ends_at,
    _table.uses_max,
    _table.uses,
    _table.last_used_at,
    _table.replaces,
)


def create_secret(
    conn: Connection,
    group: str,
    now: int,
    *,
    ends_at: int | None = None,
    uses_max: int | None = None,
    replaces: str | None = None,
) -> str:
    """Makes an enrolment secret and returns it: the only time that it is seen.

    Args:
        conn: A writer's transaction.
        group: The group of the machines that it enrols.
        now: The server's clock.
        ends_at: When it ends; None leaves that to an operator.
        uses_max: Most machines that it enrols; None for any number.
        replaces: The one label that it enrols, in place of the live machine's.
    """
    identifier = secrets.token_hex(4)
    secret = f"bpe_{identifier}_{secrets.token_hex(32)}"
    conn.execute(
        insert(enrolment_secrets).values(
            id=identifier,
            hash=hash_token(secret),
            group_name=group,
            created_at=now,
            ends_at=ends_at,
            uses_max=uses_max,
            replaces=replaces,
        )
    )
    return secret


def revoke_secret(conn: Connection, identifier: str, now: int) -> bool:
    """Ends an enrolment secret; False if none with this id holds."""
    done = conn.execute(
        update(enrolment_secrets)
        .where(_table.id == identifier, _table.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def secrets_made(conn: Connection) -> Sequence[EnrolmentSecret]:
    """Every enrolment secret ever made, oldest first, without the secrets themselves."""
    rows = conn.execute(_SECRETS.order_by(_table.created_at, _table.id))
    return [EnrolmentSecret(*row) for row in rows]


def is_right(conn: Connection, secret: str) -> bool | None:
    """Whether a secret is the one that its id names; None if no secret has that id."""
    query = select(_table.hash).where(_table.id == secret_of(secret))
    found: str | None = conn.execute(query).scalar_one_or_none()
    return None if found is None else compare_digest(found, hash_token(secret))


def enrol(conn: Connection, current: Current, message: Enrolment, now: int) -> Enrolled:
    """Enrols a machine, or answers again for a key that already did.

    A new machine counts as `unknown` in its group, and falls silent as any other; from now on
    it has the time that its group's policy gives a newly enrolled one.

    Args:
        conn: The writer's transaction.
        current: Whose policy says how the machine stands, and until when.
        message: What the laptop sends.
        now: The server's clock.

    Raises:
        RequestRefused: 422 the wire version is not read; 403 the secret does not hold, has
            ended, is used up or is for another label, or the machine of this key has left;
            409 a live machine has this label.
    """
    check_wire(message.wire)
    secret = _secret(conn, message.secret, now)
    key_hash = hash_token(message.key)
    known = conn.execute(
        select(
            machines.c.id,
            machines.c.group_name,
            machines.c.left_at,
            machines.c.enrolled_at,
            machines.c.token_hash,
        ).where(machines.c.enrol_key_hash == key_hash)
    ).first()
    if known is None:
        enrolled = _new(conn, message, secret, now)
        fleet.restand(conn, current, enrolled.machine, now)
        return enrolled
    if known.left_at is not None:
        raise _refused("the machine of this enrolment key has left", "enrol it anew")
    token = machine_tokens.first(conn, known.id, message.key, known.enrolled_at)
    if hash_token(token) != known.token_hash:
        # It has had its turn.
        token = machine_tokens.following(conn, known.id, now)
    return Enrolled(known.id, token, known.group_name)


def _new(conn: Connection, message: Enrolment, secret: EnrolmentSecret, now: int) -> Enrolled:
    _make_room(conn, message, secret, now)
    _use(conn, secret, now)
    machine_id = secrets.token_hex(8)
    token = machine_tokens.first(conn, machine_id, message.key, now)
    conn.execute(
        insert(machines).values(
            id=machine_id,
            label=message.label,
            owner=message.owner,
            group_name=secret.group,
            token_hash=hash_token(token),
            enrol_key_hash=hash_token(message.key),
            secret_id=secret.id,
            enrolled_at=now,
            standing_since=now,
        )
    )
    conn.execute(insert(presence).values(machine_id=machine_id, last_seen=now))
    count(conn, secret.group, "unknown", +1, now)
    return Enrolled(machine_id, token, secret.group)


def _secret(conn: Connection, secret: str, now: int) -> EnrolmentSecret:
    row = conn.execute(
        _SECRETS.where(_table.hash == hash_token(secret), _table.revoked_at.is_(None))
    ).first()
    if row is None:
        raise no_secret()
    found = EnrolmentSecret(*row)
    if found.ends_at is not None and found.ends_at <= now:
        raise _refused("this enrolment secret has ended", "ask the operator for a new one")
    return found


def _use(conn: Connection, secret: EnrolmentSecret, now: int) -> None:
    # The condition is the quota: two servers on one database cannot both take the last one.
    is_left = or_(_table.uses_max.is_(None), _table.uses < _table.uses_max)
    used = conn.execute(
        update(enrolment_secrets)
        .where(_table.id == secret.id, is_left)
        .values(uses=_table.uses + 1, last_used_at=now)
    )
    if used.rowcount != 1:
        raise _refused(
            f"this enrolment secret is used up: it was for {secret.uses_max}"
            f" machine{'' if secret.uses_max == 1 else 's'}",
            "ask the operator for a new one",
        )


def _make_room(conn: Connection, message: Enrolment, secret: EnrolmentSecret, now: int) -> None:
    """Looks whether the label can be had; who has it leaves, where the secret may replace it."""
    if secret.replaces is not None and secret.replaces != message.label:
        raise RequestRefused(
            "this enrolment secret was made for a machine of another name",
            advice=f"enrol as {secret.replaces}, or ask the operator for another secret",
            status=403,
            path="$.label",
        )
    taken = MACHINES.where(machines.c.label == message.label, machines.c.left_at.is_(None))
    row = conn.execute(taken).first()
    if row is None:
        return
    other = machine_of(row)
    gave_up = other.exception == "silent" and other.group == secret.group
    if secret.replaces is None and not (gave_up and other.owner == message.owner):
        raise RequestRefused(
            f"a machine named {message.label} is enrolled already",
            advice="choose another name; if this laptop had that one before, ask the operator for"
            " a secret that replaces it",
            status=409,
            path="$.label",
        )
    fleet.leave(conn, other.id, now, REPLACED)


def no_secret() -> RequestRefused:
    """The answer to a secret that is none, or was revoked: 403."""
    return _refused("this enrolment secret does not hold", "ask the operator for a new one")


def check_wire(version: int) -> None:
    """Checks that a message's wire version is one that is read here.

    Raises:
        RequestRefused: 422 it is not.
    """
    if version not in WIRE_VERSIONS:
        known = ", ".join(map(str, WIRE_VERSIONS))
        raise RequestRefused(
            f"wire version {version} is not read here",
            advice=f"speak one of these: {known}",
            status=422,
            path="$.wire",
        )


def _refused(reason: str, advice: str) -> RequestRefused:
    return RequestRefused(reason, advice=advice, status=403)
