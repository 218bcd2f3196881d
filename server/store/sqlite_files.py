"""A SQLite database as a file: copied whole, sealed, and gone if it was not finished.

SQLite's own online copy (https://www.sqlite.org/backup.html) is made in steps inside one
reading transaction, so that it is of one moment and a server goes on writing beside it.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from server.errors import StoreError

STEP_PAGES = 2_048
"""Pages of 4 KiB that are copied at a time."""

BUSY_S = 10.0
"""How long a statement waits for another process, in seconds."""


def copy(source: Path, target: Path) -> None:
    """Copies what a file holds at one moment, with what is in its log only.

    Raises:
        StoreError: One of them cannot be read or written.
    """
    with told(source), connected(source, reading=True) as old, connected(target) as new:
        # Held to the end: else each commit of a server would make the copy begin anew.
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=STEP_PAGES, sleep=0)


def seal(path: Path) -> None:
    """Makes a database one file that needs no other, and is on the disk.

    Raises:
        StoreError: It cannot be written.
    """
    with told(path), connected(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
    sync(path)


@contextlib.contextmanager
def fresh(path: Path) -> Iterator[Path]:
    """An empty file for this user alone; it is removed at the end unless it was renamed.

    Raises:
        StoreError: It cannot be made.
    """
    with told(path):
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield path
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + end).unlink(missing_ok=True)


@contextlib.contextmanager
def connected(path: Path, *, reading: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there, as SQLite has it by itself."""
    address = f"file:{quoted(path)}?mode={'ro' if reading else 'rw'}"
    with contextlib.closing(
        sqlite3.connect(address, uri=True, timeout=BUSY_S, isolation_level=None)
    ) as db:
        yield db


def quoted(path: Path) -> str:
    """A path within SQLite's address (https://www.sqlite.org/uri.html)."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Tells what fails within as a StoreError about a file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"cannot read or write {path}: {why}",
            advice="see that the disk has room, and that this user may use the file and its folder",
        ) from error


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
