"""What servers on one PostgreSQL have by turns, or share: three advisory locks.

* Transactions that write take one as they begin, and have it until they end.
* Every server shares one for as long as its writing connection lives; who must be alone, as for
  a restore, has it exclusively.
* One is the leading server's (`server.leader`), by a connection that does nothing else.

The database lets go of each with its transaction or session, whatever becomes of the process
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS).
"""

import contextlib
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

SERVER_WAIT_S = 2
"""Seconds that a server waits for the one before it, whose connection may be ending."""

# Any numbers do, as long as all servers of a database use the same ones.
_WRITES = 0x7061_7269_7479_0001
_SERVES = 0x7061_7269_7479_0002
_LEADS = 0x7061_7269_7479_0003

WRITES_BY_TURNS = f"SELECT pg_advisory_xact_lock({_WRITES})"
"""Waits until no other transaction writes."""

_LOCK_NOT_AVAILABLE = "55P03"


def take_alone(conn: Connection) -> bool:
    """Takes the database for one, if no server works on it."""
    return _take(conn, f"pg_advisory_lock({_SERVES})")


def share(conn: Connection) -> bool:
    """Shares the database with other servers, if nobody has it alone."""
    return _take(conn, f"pg_advisory_lock_shared({_SERVES})")


def leads(conn: Connection) -> bool:
    """Leads by this connection, if no other one does."""
    return bool(_first_of(conn, f"SELECT pg_try_advisory_lock({_LEADS})"))


def lives(conn: Connection) -> bool:
    """Whether a connection, and what it has locked, is still there."""
    try:
        return bool(_first_of(conn, "SELECT true"))
    except DBAPIError:
        return False


def say(conn: Connection, words: str) -> Any:
    """Runs statements in one round trip, beneath SQLAlchemy, which would begin a transaction.

    Returns:
        The driver's cursor.

    Raises:
        DBAPIError: The database could not.
    """
    driver: Any = conn.dialect.loaded_dbapi
    raw: Any = conn.connection.driver_connection
    try:
        # Several statements cannot be prepared.
        return raw.execute(words, prepare=False)
    except driver.Error as error:
        with contextlib.suppress(driver.Error):
            raw.rollback()
        if raw.closed:
            conn.invalidate()  # else the pool would take it back, and log that it cannot
        raise DBAPIError.instance(words, None, error, driver.Error) from error


def _take(conn: Connection, lock: str) -> bool:
    try:
        say(
            conn,
            f"BEGIN; SET LOCAL lock_timeout = {SERVER_WAIT_S * 1000}; SELECT {lock}; COMMIT",
        )
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


def _first_of(conn: Connection, words: str) -> object:
    return say(conn, words).fetchone()[0]
