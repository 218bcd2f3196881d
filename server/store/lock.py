"""One server per SQLite file: an operating system lock beside the database.

SQLite would let two processes write by turns; two servers would still both judge, tell and
sweep. The lock is the file's, not a pid written somewhere: it ends with the process,
however that ends.
"""

import os
import sys
from pathlib import Path

from server.errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProcessLock:
    """Held from its making to `release`, or to the end of the process.

    Args:
        path: The lock file; made when it is missing, never removed, since removing it
            would let a second process lock another file of the same name.

    Raises:
        StoreError: Another process holds it, or it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot make the lock file {path}: {error.strerror}",
                advice="let this user write to that folder, or name another data folder",
            ) from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            raise StoreError(
                f"another server already works on {path.with_suffix('')}",
                advice="stop it first, or give this one a data folder of its own",
            ) from error

    def release(self) -> None:
        """Lets another process have it."""
        os.close(self._descriptor)
