"""Tokens: who may do what. They are random, shown once, and stored hashed.

A token's beginning tells its kind to a person who finds one, and to secret scanners:
``bpm_`` a machine's, ``bpv_`` a viewer's, ``bpo_`` an operator's, ``bpe_`` an enrolment
secret. A machine's token holds the machine id, so that a check-in finds its row by primary
key, and when it was made, so that nothing has to be read to know that it is old. All hold 256
random bits or what cannot be told from them: a plain SHA-256 is then a
sound way to store them, and stretching it would only slow the honest.

A viewer reads. An operator reads and changes what is expected of machines, and signs for it
with the token's name: so that is given with the token, and no request can say another.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from server.said import check_line
from server.store.tables import tokens

Role = Literal["viewer", "operator"]

NAME_MAX = 80
"""Longest name of a token, in characters."""

_PREFIXES: Mapping[Role, str] = {"viewer": "bpv", "operator": "bpo"}

# Tokens of an older form tell no time; their laptops have nothing to renew them with.
_MACHINE = re.compile(r"bpm_([0-9a-f]{16})_(?:([0-9a-f]{8})_)?[0-9a-f]{64}")
_MADE_AT = slice(21, 29)
_DATED_LENGTH = 94
_SECRET = re.compile(r"bpe_([0-9a-f]{8})_[0-9a-f]{64}")


@dataclass(frozen=True)
class Token:
    """A viewer's or operator's token, without what opens.

    Attributes:
        id: Names it in commands; no secret.
        name: Who has it; an operator signs with it.
        role: What it admits to.
        created_at: When it was made.
        revoked_at: When it ended; None while it holds.
    """

    id: str
    name: str
    role: Role
    created_at: int
    revoked_at: int | None


_TOKENS = select(
    tokens.c.id, tokens.c.name, tokens.c.role, tokens.c.created_at, tokens.c.revoked_at
)


def hash_token(token: str) -> str:
    """What is stored in place of a token: 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def machine_token(machine_id: str, random: str, made_at: int) -> str:
    """A machine's token.

    Args:
        machine_id: 16 hex digits.
        random: 64 hex digits.
        made_at: Whole seconds since the epoch, below 2**32.
    """
    return f"bpm_{machine_id}_{made_at:08x}_{random}"


def machine_of(token: str) -> str | None:
    """The machine id in a token that has the form of a machine's token."""
    match = _MACHINE.fullmatch(token)
    return match[1] if match else None


def is_due(token: str, now: int, max_age_s: int) -> bool:
    """Whether a machine's token is so old that another one should take its turn. Pure.

    Args:
        token: In the form of a machine's token.
        now: The server's clock.
        max_age_s: Oldest that a token gets, in seconds.
    """
    if len(token) != _DATED_LENGTH:
        return False
    # By its place: every check-in asks, and has matched the pattern once.
    return int(token[_MADE_AT], 16) + max_age_s <= now


def secret_of(secret: str) -> str | None:
    """The id in an enrolment secret that has the form of one."""
    match = _SECRET.fullmatch(secret)
    return match[1] if match else None


def create(conn: Connection, name: str, role: Role, now: int) -> str:
    """Makes a token and returns it: the only time that it is seen.

    Args:
        conn: A writer's transaction.
        name: Who has it; at most `NAME_MAX` characters, on one line.
        role: What it admits to.
        now: The server's clock.

    Raises:
        RequestRefused: 422 the name is none that could sign.
    """
    check_line("name", name, NAME_MAX)
    identifier = secrets.token_hex(4)
    token = f"{_PREFIXES[role]}_{identifier}_{secrets.token_hex(32)}"
    conn.execute(
        insert(tokens).values(
            id=identifier, hash=hash_token(token), name=name, role=role, created_at=now
        )
    )
    return token


def holder(conn: Connection, token: str) -> Token | None:
    """The viewer's or operator's token that this is; None if it is none, or does not hold."""
    row = conn.execute(
        _TOKENS.where(tokens.c.hash == hash_token(token), tokens.c.revoked_at.is_(None))
    ).first()
    return Token(*row) if row else None


def revoke(conn: Connection, identifier: str, now: int) -> bool:
    """Ends a viewer's or operator's token; False if none with this id holds."""
    done = conn.execute(
        update(tokens)
        .where(tokens.c.id == identifier, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def made(conn: Connection) -> Sequence[Token]:
    """Every viewer's and operator's token ever made, oldest first, without what opens.

    Those of one second by their names: their identifiers are random.
    """
    rows = conn.execute(_TOKENS.order_by(tokens.c.created_at, tokens.c.name, tokens.c.id))
    return [Token(*row) for row in rows]
