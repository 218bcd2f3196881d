"""Rows by the hundred thousand, by the shortest way that a database has for them.

PostgreSQL takes a stream (COPY), SQLite one prepared statement for all. What both check of a
single row they check of these.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Table

ROWS_MAX = 10_000
"""Most rows held at a time."""

Record = Mapping[str, Any]
"""A row's values by column; all rows of a table name the same ones."""


def fill(conn: Connection, table: Table, rows: Iterable[Record]) -> None:
    """Inserts rows in their order; numbers that a table gives by itself follow it.

    Args:
        conn: For writing, in a transaction.
        table: Where to.
        rows: Taken as they are needed; none is fine.
    """
    coming = iter(rows)
    first = next(coming, None)
    if first is None:
        return
    names = tuple(first)
    values = (tuple(row[name] for name in names) for row in chain((first,), coming))
    if conn.dialect.name == "postgresql":
        _copy(conn, table, names, values)
        return
    given = f"INSERT INTO {table.name} ({', '.join(names)})"
    statement = f"{given} VALUES ({', '.join('?' * len(names))})"
    while part := list(islice(values, ROWS_MAX)):
        conn.exec_driver_sql(statement, part)


def settle(url: str) -> None:
    """Leaves a database as its own upkeep would some minutes after so many rows."""
    if not url.startswith("postgresql:"):
        return
    # Here, since it comes with the extra `postgres`.
    import psycopg  # noqa: PLC0415

    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")


def _copy(
    conn: Connection, table: Table, names: tuple[str, ...], values: Iterator[tuple[Any, ...]]
) -> None:
    driver: Any = conn.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as stream,
    ):
        for row in values:
            stream.write_row(row)
