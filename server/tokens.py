"""Tokens: who may do what. They are random, shown once, and stored hashed.

A token's beginning tells its kind to a person who finds one, and to secret scanners:
``bpm_`` a machine's, ``bpv_`` a viewer's, ``bpe_`` an enrolment secret. A machine's token
holds the machine id, so that a check-in finds its row by primary key. All hold 256 random
bits or what cannot be told from them: a plain SHA-256 is then a sound way to store them,
and stretching it would only slow the honest.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from server.store.tables import tokens

_MACHINE = re.compile(r"bpm_([0-9a-f]{16})_[0-9a-f]{64}")


@dataclass(frozen=True)
class Viewer:
    """A viewer's token as an operator sees it.

    Attributes:
        id: Names it in commands; no secret.
        name: Who has it.
        created_at: When it was made.
        revoked_at: When it ended; None while it holds.
    """

    id: str
    name: str
    created_at: int
    revoked_at: int | None


def hash_token(token: str) -> str:
    """What is stored in place of a token: 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def machine_token(machine_id: str, random: str) -> str:
    """A machine's token.

    Args:
        machine_id: 16 hex digits.
        random: 64 hex digits.
    """
    return f"bpm_{machine_id}_{random}"


def machine_of(token: str) -> str | None:
    """The machine id in a token that has the form of a machine's token."""
    match = _MACHINE.fullmatch(token)
    return match[1] if match else None


def create_viewer(conn: Connection, name: str, now: int) -> str:
    """Makes a viewer's token and returns it: the only time that it is seen."""
    identifier = secrets.token_hex(4)
    token = f"bpv_{identifier}_{secrets.token_hex(32)}"
    conn.execute(
        insert(tokens).values(id=identifier, hash=hash_token(token), name=name, created_at=now)
    )
    return token


def is_viewer(conn: Connection, token: str) -> bool:
    """Whether a token is a viewer's and holds."""
    return (
        conn.execute(
            select(tokens.c.id).where(
                tokens.c.hash == hash_token(token), tokens.c.revoked_at.is_(None)
            )
        ).first()
        is not None
    )


def revoke_viewer(conn: Connection, identifier: str, now: int) -> bool:
    """Ends a viewer's token; False if none with this id holds."""
    done = conn.execute(
        update(tokens)
        .where(tokens.c.id == identifier, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def viewers(conn: Connection) -> Sequence[Viewer]:
    """Every viewer's token ever made, oldest first, without the tokens themselves."""
    rows = conn.execute(
        select(tokens.c.id, tokens.c.name, tokens.c.created_at, tokens.c.revoked_at).order_by(
            tokens.c.created_at, tokens.c.id
        )
    )
    return [Viewer(row.id, row.name, row.created_at, row.revoked_at) for row in rows]
