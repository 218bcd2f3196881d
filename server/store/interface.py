"""What the store needs of a kind of database: one module for each kind.

The scheme of an address names the kind (`server.store.engine`). Queries are the same for
all; what a kind does by itself is told here, with the few bounds that all share.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import URL, Connection, Engine, Table
from sqlalchemy.exc import SQLAlchemyError


@dataclass(frozen=True)
class Limits:
    """How long the database may take, and how much of it one process has.

    Attributes:
        connect_s: Seconds in which a connection has to come about.
        statement_s: Seconds that one statement may take; 0 for any time.
        lock_s: Seconds that a statement waits for what another one holds.
        connections: Most connections of one process.
    """

    connect_s: float = 5.0
    statement_s: float = 60.0
    lock_s: float = 10.0
    connections: int = 16


class Kind(Protocol):
    """A kind of database; a module of this package is one."""

    def named(self, address: URL) -> str:
        """How messages name a database: without a password.

        Raises:
            StoreError: The address names none of this kind.
        """
        ...

    def make(self, address: URL) -> None:
        """Makes what is to be there before the first migration, if this kind can.

        Raises:
            StoreError: It cannot be made.
        """
        ...

    def check(self, address: URL) -> None:
        """Looks at what can be seen without a connection.

        Raises:
            StoreError: There is no such database, or this user may not write to it.
        """
        ...

    def engine(self, address: URL, limits: Limits) -> Engine:
        """The way to its connections, none of which is open yet.

        Raises:
            StoreError: Its driver is not installed.
        """
        ...

    def examine(self, conn: Connection, address: URL) -> None:
        """Looks at the database behind an open connection.

        Raises:
            StoreError: It cannot hold what is written to it.
        """
        ...

    def reason(self, error: SQLAlchemyError) -> str:
        """Why the database could not, in words for who asked, who may be anybody."""
        ...

    def opening(self, address: URL) -> AbstractContextManager[None]:
        """Tells what fails within as a StoreError, in words for the operator."""
        ...

    def writable(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A connection each of whose transactions is the only one that writes."""
        ...

    def alone(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A writable connection, while no server works on the database.

        Raises:
            StoreError: One does.
        """
        ...

    def serving(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A server's writable connection, while nobody has the database alone.

        Raises:
            StoreError: Somebody has: another server, where this kind is for one.
        """
        ...

    def leading(self, engine: Engine) -> AbstractContextManager[Callable[[], bool] | None]:
        """What one server of a database has at a time, until it ends, however it ends.

        Returns:
            Tells whether it still has it; None where another one has.

        Raises:
            SQLAlchemyError: The database cannot be reached.
        """
        ...

    def troubles(self, conn: Connection) -> tuple[tuple[str, str], ...]:
        """What is wrong with a database that is open, each with what to do: for `doctor`."""
        ...

    def numbered(self, conn: Connection, table: Table) -> None:
        """Goes on after the highest number of rows that were put in with their own."""
        ...

    def is_lost(self, conn: Connection, error: SQLAlchemyError) -> bool:
        """Whether, after an error, a connection has to be opened anew."""
        ...
