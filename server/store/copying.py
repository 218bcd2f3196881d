"""All rows of one database into another, of any kind, and the proof that they arrived.

Both are held meanwhile: no server works on either, and nobody writes to the source. What is
written is one transaction. Before it commits every table is read again from the target, in
the same order: as many rows must come, with the same bytes. If a single value differs, nothing
is there.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, Table, insert, select
from sqlalchemy.exc import DBAPIError

from server.errors import StoreError
from server.store.engine import UNABLE, kind_of, not_written
from server.store.tables import metadata

BATCH = 1_000
"""Rows that are written at a time."""


@dataclass(frozen=True)
class Copied:
    """One table.

    Attributes:
        table: Its name.
        rows: How many rows it has.
    """

    table: str
    rows: int


def copy(source: Engine, target: Engine) -> tuple[Copied, ...]:
    """Copies every table.

    Args:
        source: A migrated database.
        target: Another one, without a row.

    Raises:
        StoreError: A server works on one of them, the target has rows, a row did not
            arrive as it was, or one of them failed: the target is left as it was.
    """
    try:
        with (
            kind_of(source).alone(source) as reads,
            kind_of(target).alone(target) as writes,
            # The source's is a write transaction too: nothing of it changes meanwhile.
            reads.begin(),
            writes.begin(),
        ):
            _check_empty(writes)
            return tuple(_copied(reads, writes, table) for table in metadata.sorted_tables)
    except UNABLE as error:
        raise not_written(target, error) from error


def _check_empty(conn: Connection) -> None:
    for table in metadata.sorted_tables:
        if conn.execute(select(table).limit(1)).first() is not None:
            raise StoreError(
                f"the database to copy to has rows already, in {table.name}",
                advice="name an empty one: nothing is overwritten",
            )


def _copied(source: Connection, target: Connection, table: Table) -> Copied:
    sent = _Digest()
    try:
        for batch in _batches(source, table):
            target.execute(insert(table), [row._asdict() for row in batch])
            sent.add(batch)
        kind_of(target.engine).numbered(target, table)
    except UNABLE:
        raise
    except DBAPIError as error:
        raise _unfit(table, kind_of(target.engine).reason(error)) from error
    except TypeError as error:
        raise _unfit(table, str(error)) from error
    arrived = _Digest()
    for batch in _batches(target, table):
        arrived.add(batch)
    if arrived.told() != sent.told():
        raise StoreError(
            f"{table.name} did not arrive as it was: {sent.rows} rows were sent,"
            f" {arrived.rows} arrived, or their bytes differ",
            advice="nothing was copied; run parity-server doctor on the source",
        )
    return Copied(table.name, sent.rows)


def _unfit(table: Table, why: str) -> StoreError:
    return StoreError(
        f"a row of {table.name} cannot be copied: {why}",
        advice="nothing was copied; run parity-server doctor on the source",
    )


def _batches(conn: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    query = select(table).order_by(*table.primary_key)
    options = {"yield_per": BATCH}  # not all of them in memory
    yield from conn.execute(query, execution_options=options).partitions()


class _Digest:
    """How many rows, and the SHA-256 of all of their values and the kinds of these."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = hashlib.sha256()

    def add(self, rows: Sequence[Row[Any]]) -> None:
        self.rows += len(rows)
        for row in rows:
            self._sum.update(msgspec.msgpack.encode(tuple(row)))

    def told(self) -> tuple[int, str]:
        return self.rows, self._sum.hexdigest()
