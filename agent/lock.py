"""One at a time: a lock that ends with its process, on every system alike.

A lock is an empty SQLite file in an exclusive transaction: the system's own file lock,
held through the standard library, so it needs no code per system, waits with a limit, and
is gone when its process is, however it ended (sqlite.org/lockingv3.html).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent import state_files
from agent.errors import AgentError


@contextmanager
def held(file: Path, *, timeout_s: float, holder: str) -> Iterator[None]:
    """Holds a lock while the block runs.

    Args:
        file: The lock's file, made if missing.
        timeout_s: Seconds to wait for it.
        holder: Who holds it otherwise, for people to read.

    Raises:
        AgentError: Another process holds it, or the file cannot be used.
    """
    state_files.prepare(file.parent)
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(file, timeout=timeout_s, isolation_level=None)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(file, error) from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise AgentError(
                    f"{holder} is already running for {file.parent}",
                    advice="wait for it or end it, or use another state_dir",
                ) from None
            raise _unusable(file, error) from error
        yield


def is_held(file: Path) -> bool:
    """Whether another process holds a lock at this moment; nothing is made for the question.

    Raises:
        AgentError: The file cannot be used.
    """
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=0)) as asking:
            asking.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return True
        raise _unusable(file, error) from error
    return False


def _unusable(file: Path, error: Exception) -> AgentError:
    return AgentError(
        f"the lock {file} cannot be used: {error}",
        advice="remove the file, and check the folder's owner and free space",
    )
