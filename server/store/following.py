"""What several servers on one database follow: a number for each part of what is true now.

Who changes a part gives it another number in the same transaction; who begins to write
compares the numbers with those that it loaded by, within its transaction. Of transactions
that write there is one at a time, so what they say holds until the commit. Numbers are drawn,
not counted: a database that was put back from a backup never shows one that it had before
for something else. Nothing is there before the first change.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select

from server.store.dialect import upsert
from server.store.prepared import Prepared
from server.store.tables import current_numbers

_ROW = 1
_BITS = 62


@dataclass(frozen=True, slots=True)
class Numbers:
    """One row.

    Attributes:
        term: Of the server that leads (`server.leader`).
        ledger: Of what the sources said.
        policies: Of the policies in force.
        references: Of what the reference machines show.
        listened: Of the times in which somebody listened.
        restores: Of the last restore.
    """

    term: int = 0
    ledger: int = 0
    policies: int = 0
    references: int = 0
    listened: int = 0
    restores: int = 0


_PARTS = tuple(Numbers.__dataclass_fields__)

_QUERY = select(*(current_numbers.c[part] for part in _PARTS)).where(current_numbers.c.id == _ROW)
_NUMBERS = Prepared(_QUERY)


def numbers(conn: Connection) -> Numbers:
    """The numbers as a transaction of the writer sees them."""
    return Numbers(*(_NUMBERS.run(conn, {}) or ()))


def looked_at(conn: Connection) -> Numbers:
    """The same for who only reads, by a connection that may be lost."""
    return Numbers(*(conn.execute(_QUERY).first() or ()))


def renumber(conn: Connection, *parts: str) -> int:
    """Tells every server that parts changed, once this transaction is committed.

    Args:
        conn: The transaction that changes them.
        parts: Names of `Numbers`.

    Returns:
        Their new number.
    """
    number = secrets.randbits(_BITS)
    values = dict.fromkeys(parts, number)
    statement = upsert(current_numbers).values(id=_ROW, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    return number
