"""The file under the journal: opened, begun, and set aside when it is damaged.

Durability is a rollback journal with ``synchronous=EXTRA``, which also syncs the folder
after the commit (sqlite.org/pragma.html#pragma_synchronous), and ``fullfsync`` on macOS.
The newest file that is set aside is kept for a look; it is never read again.

Sound is what SQLite finds sound, has its whole last page, and holds the bytes of every profile
that it names: a disk that lost what it had promised to keep leaves files of which only this
tells.

The file's format is a number in its header. A file of an earlier format is upgraded where it
lies, in one transaction, so that it is the old or the new one and nothing between. One of a
later format, left by an agent that was newer, is set aside like a damaged one: a laptop that
goes on in a new epoch is worth more than the few changes that nobody here can read.
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

_FORMAT = 2
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

_SINCE_2 = """
CREATE TABLE activity (day INTEGER NOT NULL, surface TEXT NOT NULL, build TEXT NOT NULL,
    seconds INTEGER NOT NULL, starts INTEGER NOT NULL,
    PRIMARY KEY (day, surface, build)) WITHOUT ROWID;
CREATE TABLE activity_sent (day INTEGER NOT NULL, surface TEXT NOT NULL, build TEXT NOT NULL,
    seconds INTEGER NOT NULL, starts INTEGER NOT NULL,
    PRIMARY KEY (day, surface, build)) WITHOUT ROWID;
"""

_LOST_PROFILES = """
SELECT count(*) FROM (SELECT profile FROM changes UNION SELECT present FROM journal
    WHERE present IS NOT NULL EXCEPT SELECT digest FROM profiles)
"""


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
        if _usable(connection, path):
            return connection
        connection.close()
        _set_aside(path)
        _log.error("journal damaged or of a newer agent, set aside; a new epoch begins")
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


def _usable(connection: sqlite3.Connection, path: Path) -> bool:
    try:
        _make_durable(connection)
        if _format(connection) == 0:
            _begin(connection)
        if not 1 <= _format(connection) <= _FORMAT:
            return False
        if not _sound(connection, path):
            return False
        _upgrade(connection)
    except sqlite3.DatabaseError as error:
        if _code(error) in _NOT_OURS:
            return False
        raise
    return True


def _sound(connection: sqlite3.Connection, path: Path) -> bool:
    # In a transaction that has read, no other process writes to the file meanwhile.
    connection.execute("BEGIN")
    try:
        one_row = connection.execute("SELECT count(*) FROM journal").fetchone() == (1,)
        size = connection.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()[0]
        # SQLite reads the missing end of a last page as zeros.
        if path.stat().st_size < size or not one_row:
            return False
        checks = (("PRAGMA quick_check(1)", "ok"), (_LOST_PROFILES, 0))
        return all(connection.execute(asked).fetchone() == (found,) for asked, found in checks)
    finally:
        connection.rollback()


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _begin(connection: sqlite3.Connection) -> None:
    # Two processes may begin at once: the second finds the tables and adds nothing. Nor is
    # anything added to the tables of a stranger.
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        _create(connection, _TABLES + _SINCE_2)
        connection.execute("INSERT INTO journal VALUES (1, ?, 0, 0, NULL)", (secrets.token_hex(8),))
    connection.commit()


def _upgrade(connection: sqlite3.Connection) -> None:
    if _format(connection) == _FORMAT:
        return
    # Here too the second of two finds it done.
    connection.execute("BEGIN IMMEDIATE")
    if _format(connection) != _FORMAT:
        _create(connection, _SINCE_2)
    connection.commit()


def _create(connection: sqlite3.Connection, tables: str) -> None:
    for statement in tables.split(";")[:-1]:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_FORMAT}")


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
