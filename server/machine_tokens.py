"""A machine's token: how it comes, takes turns with the next one, and can be had again.

The first one answers an enrolment. An answer can get lost, and the token is stored hashed: so a
repeated enrolment has to find the same token without anybody having kept it. It is therefore
derived: HMAC-SHA256, under a random key that this server keeps, of the enrolment key that the
laptop drew (RFC 2104). To get it one needs the enrolment key, which the database holds only
hashed, and a secret that still holds; the laptop cannot derive it without the server, nor can
a reader of the database without the enrolment key.

Every later one is random and is given for the enrolment key, which a laptop sends for nothing
else. Who only has seen a token can therefore neither renew it nor keep its machine from
renewing it, and with the next turn it is worth nothing. Both tokens hold until the new one is
used for the first time; that ends the old one (`server.store.checkins.signed`). Asked again,
for a lost answer or by a state folder that came back from a backup, another new one is given,
and the one that was never used ends: so no order of crashes, losses and restores leaves a
laptop that has its enrolment key without a token.
"""

import hashlib
import hmac
import secrets

from sqlalchemy import Connection, select

from agent.wire import Renewed
from server.store.checkins import unauthorised
from server.store.dialect import upsert
from server.store.machines import change
from server.store.tables import machines, server_keys
from server.tokens import hash_token, machine_token

_KEY_NAME = "machine-tokens"


def first(conn: Connection, machine_id: str, enrolment_key: str, made_at: int) -> str:
    """The token that a machine is enrolled with; the same for the same arguments.

    Args:
        conn: The writer's transaction.
        machine_id: Whose.
        enrolment_key: What the laptop drew.
        made_at: When the machine was enrolled.
    """
    server_key = _server_key(conn)
    derived = hmac.new(server_key, f"{machine_id} {enrolment_key}".encode(), hashlib.sha256)
    return machine_token(machine_id, derived.hexdigest(), made_at)


def following(conn: Connection, machine_id: str, now: int) -> str:
    """A new token of a live machine; the present one holds until this is used."""
    token = machine_token(machine_id, secrets.token_hex(32), now)
    change(conn, machine_id, {"next_token_hash": hash_token(token)})
    return token


def renew(conn: Connection, machine_id: str, enrolment_key: str, now: int) -> Renewed:
    """Gives a machine its next token for the key that it was enrolled with.

    Args:
        conn: The writer's transaction.
        machine_id: As the token says that it showed, which need not hold any more.
        enrolment_key: What it drew when it was enrolled.
        now: The server's clock.

    Raises:
        RequestRefused: 401 no such machine, it has left, or it has another key.
    """
    key_hash = hash_token(enrolment_key)
    live = machines.c.left_at.is_(None) & (machines.c.enrol_key_hash == key_hash)
    query = select(machines.c.id).where(machines.c.id == machine_id, live)
    if conn.execute(query).first() is None:
        raise unauthorised()
    return Renewed(following(conn, machine_id, now))


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
