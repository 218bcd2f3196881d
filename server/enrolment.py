"""How a machine becomes known: a secret from the operator, a token for the machine.

The secret decides the group; it is checked by its hash and can be revoked without touching
the machines that it enrolled.

An answer can get lost, and the token is stored hashed: so a repeated enrolment has to find
the same token without anybody having kept it. It is therefore derived: HMAC-SHA256, under a
random key that this server keeps, of the enrolment key that the laptop drew (RFC 2104). To
get it one needs the enrolment key, which the database holds only hashed, and a secret
that still holds; the laptop cannot derive it without the server, nor can a reader of the
database without the enrolment key.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from agent.wire import WIRE_VERSIONS, Enrolled, Enrolment
from server.current import Current
from server.errors import RequestRefused
from server.store import fleet
from server.store.counts import count
from server.store.dialect import upsert
from server.store.tables import enrolment_secrets, machines, presence, server_keys
from server.tokens import hash_token, machine_token

_KEY_NAME = "machine-tokens"


@dataclass(frozen=True)
class EnrolmentSecret:
    """An enrolment secret as an operator sees it.

    Attributes:
        id: Names it in commands; no secret.
        group: The group of the machines that it enrols.
        created_at: When it was made.
        revoked_at: When it ended; None while it holds.
    """

    id: str
    group: str
    created_at: int
    revoked_at: int | None


def create_secret(conn: Connection, group: str, now: int) -> str:
    """Makes an enrolment secret and returns it: the only time that it is seen."""
    identifier = secrets.token_hex(4)
    secret = f"bpe_{identifier}_{secrets.token_hex(32)}"
    conn.execute(
        insert(enrolment_secrets).values(
            id=identifier, hash=hash_token(secret), group_name=group, created_at=now
        )
    )
    return secret


def revoke_secret(conn: Connection, identifier: str, now: int) -> bool:
    """Ends an enrolment secret; False if none with this id holds."""
    done = conn.execute(
        update(enrolment_secrets)
        .where(enrolment_secrets.c.id == identifier, enrolment_secrets.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def secrets_made(conn: Connection) -> Sequence[EnrolmentSecret]:
    """Every enrolment secret ever made, oldest first, without the secrets themselves."""
    table = enrolment_secrets.c
    rows = conn.execute(
        select(table.id, table.group_name, table.created_at, table.revoked_at).order_by(
            table.created_at, table.id
        )
    )
    return [EnrolmentSecret(*row) for row in rows]


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
        RequestRefused: 422 the wire version is not read; 403 the secret does not hold, or
            the machine of this key has left; 409 a live machine has this label.
    """
    check_wire(message.wire)
    secret = _secret(conn, message.secret)
    key_hash = hash_token(message.key)
    known = conn.execute(
        select(machines.c.id, machines.c.group_name, machines.c.left_at).where(
            machines.c.enrol_key_hash == key_hash
        )
    ).first()
    if known is None:
        enrolled = _new(conn, message, secret, now)
        fleet.restand(conn, current, enrolled.machine, now)
        return enrolled
    if known.left_at is not None:
        raise _refused("the machine of this enrolment key has left", "enrol it anew")
    return Enrolled(known.id, _token(conn, known.id, message.key), known.group_name)


def _new(conn: Connection, message: Enrolment, secret: EnrolmentSecret, now: int) -> Enrolled:
    _check_label(conn, message.label)
    machine_id = secrets.token_hex(8)
    token = _token(conn, machine_id, message.key)
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


def _secret(conn: Connection, secret: str) -> EnrolmentSecret:
    table = enrolment_secrets.c
    row = conn.execute(
        select(table.id, table.group_name, table.created_at, table.revoked_at).where(
            table.hash == hash_token(secret), table.revoked_at.is_(None)
        )
    ).first()
    if row is None:
        raise _refused("this enrolment secret does not hold", "ask the operator for a new one")
    return EnrolmentSecret(*row)


def _check_label(conn: Connection, label: str) -> None:
    taken = select(machines.c.id).where(machines.c.label == label, machines.c.left_at.is_(None))
    if conn.execute(taken).first() is not None:
        raise RequestRefused(
            f"a machine named {label} is enrolled already",
            advice="choose another name, or have the operator revoke the old machine",
            status=409,
            path="$.label",
        )


def _token(conn: Connection, machine_id: str, enrolment_key: str) -> str:
    server_key = _server_key(conn)
    derived = hmac.new(server_key, f"{machine_id} {enrolment_key}".encode(), hashlib.sha256)
    return machine_token(machine_id, derived.hexdigest())


def _server_key(conn: Connection) -> bytes:
    conn.execute(
        upsert(server_keys)
        .values(name=_KEY_NAME, value=secrets.token_bytes(32))
        .on_conflict_do_nothing()
    )
    key: bytes = conn.execute(
        select(server_keys.c.value).where(server_keys.c.name == _KEY_NAME)
    ).scalar_one()
    return key


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
