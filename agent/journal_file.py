"""The file under the journal: opened, begun, and set aside when it is damaged.

Durability is a rollback journal with ``synchronous=EXTRA``, which also syncs the folder
after the commit (sqlite.org/pragma.html#pragma_synchronous), and ``fullfsync`` on macOS.
The newest damaged file is kept for a look; it is never read again.
"""

import os
import secrets
import sqlite3
from pathlib import Path

import structlog

from agent import state_files
from agent.errors import JournalError

BUSY_TIMEOUT_S = 10.0
"""Seconds to wait for another process of this machine to end its write."""

_SCHEMA = 1
# SQLITE_ERROR is what a table that should be there and is not is told as.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NOT_OURS = _DAMAGED | {sqlite3.SQLITE_ERROR}
_log = structlog.stdlib.get_logger("agent.journal")

_TABLES = """
CREATE TABLE journal (one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL, seq INTEGER NOT NULL, dropped INTEGER NOT NULL, present TEXT);
CREATE TABLE profiles (digest TEXT PRIMARY KEY, body BLOB NOT NULL, wanted INTEGER NOT NULL);
CREATE TABLE changes (id INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE sent (one INTEGER PRIMARY KEY CHECK (one = 1),
    body BLOB NOT NULL, upto INTEGER NOT NULL, dropped INTEGER NOT NULL);
CREATE TABLE remembered (name TEXT PRIMARY KEY, body BLOB NOT NULL, at INTEGER NOT NULL);
"""  # noqa: E501 - one column list reads best on one line


def connect(state_dir: Path) -> sqlite3.Connection:
    """A connection to the sound journal file of a state folder.

    Raises:
        JournalError: The file cannot be opened or written.
        IdentityError: The state folder cannot be made.
    """
    state_files.prepare(state_dir)
    path = state_dir / "journal.db"
    try:
        connection = _open(path)
        if _usable(connection):
            return connection
        connection.close()
        _set_aside(path)
        _log.error("journal damaged and set aside, a new epoch begins")
        connection = _open(path)
        _make_durable(connection)
        _begin(connection)
    except (sqlite3.Error, OSError) as error:
        raise unusable(error) from error
    return connection


def unusable(error: sqlite3.Error | OSError) -> JournalError:
    """What SQLite or the disk said, as the journal's own error."""
    if isinstance(error, sqlite3.Error) and _code(error) in _DAMAGED:
        return JournalError(
            "the journal was damaged while in use", advice="run it again: a new one is begun"
        )
    return JournalError(
        f"the journal cannot be used: {error}",
        advice="check the state folder's owner and free space",
    )


def _open(path: Path) -> sqlite3.Connection:
    # SQLite makes files by the umask; this one is for its owner alone.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _make_durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute("PRAGMA fullfsync = ON")


def _usable(connection: sqlite3.Connection) -> bool:
    try:
        _make_durable(connection)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            _begin(connection)
        elif version != _SCHEMA:
            return False
        sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        rows = connection.execute("SELECT count(*) FROM journal").fetchone()
        return bool(sound and rows == (1,))
    except sqlite3.DatabaseError as error:
        if _code(error) in _NOT_OURS:
            return False
        raise


def _begin(connection: sqlite3.Connection) -> None:
    # Two processes may begin at once: the second finds the tables and adds nothing.
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        for statement in _TABLES.split(";")[:-1]:
            connection.execute(statement)
        connection.execute("INSERT INTO journal VALUES (1, ?, 0, 0, NULL)", (secrets.token_hex(8),))
        connection.execute(f"PRAGMA user_version = {_SCHEMA}")
    connection.commit()


def _set_aside(path: Path) -> None:
    aside = path.with_name("journal.damaged.db")
    path.replace(aside)
    # A hot rollback journal belongs to the file it was made for, not to the new one.
    hot = path.with_name("journal.db-journal")
    if hot.exists():
        hot.replace(path.with_name("journal.damaged.db-journal"))


def _code(error: sqlite3.Error) -> int:
    # An extended code carries its primary one in the low byte (sqlite.org/rescode.html).
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
