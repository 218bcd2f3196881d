"""Statements that every commit runs: compiled once, and run without ceremony.

SQLAlchemy's own way costs some forty microseconds of each statement, held against the event
loop's thread: as much as two check-ins. A `Prepared` is written in its expression language
like all others, but goes to the driver directly.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler


class Prepared:
    """A statement whose text does not depend on its values.

    Args:
        statement: Without values that expand into several.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def run(self, conn: Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        """Runs it in the connection's transaction.

        Returns:
            The first row, if it returns rows.

        Raises:
            DBAPIError: The database could not, by the name of the reason.
        """
        text, names, fixed = _compiled(self._statement, conn.dialect)
        with _cursor(conn, text) as cursor:
            cursor.execute(text, _by_place(names, fixed, values))
            return cursor.fetchone() if cursor.description else None


@contextmanager
def _cursor(conn: Connection, text: str) -> Iterator[DBAPICursor]:
    cursor = conn.connection.cursor()
    try:
        yield cursor
    except conn.dialect.loaded_dbapi.Error as error:
        base = conn.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(text, None, error, base) from error
    finally:
        cursor.close()


def _by_place(
    names: Sequence[str] | None, fixed: Mapping[str, Any], values: Mapping[str, object]
) -> Any:
    """All values as the driver wants them."""
    if names is None:
        return {**fixed, **values}
    return [values[name] if name in values else fixed[name] for name in names]


@functools.cache
def _compiled(
    statement: Executable, dialect: Dialect
) -> tuple[str, Sequence[str] | None, Mapping[str, Any]]:
    """The text, the names of its values if they go by place, and those that are always the same."""
    assert isinstance(statement, ClauseElement)  # noqa: S101 - all statements are
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - as it is for every statement
    names = tuple(compiled.positiontup or ()) if compiled.positional else None
    return compiled.string, names, compiled.params
