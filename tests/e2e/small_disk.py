"""A disk so small that it can be filled: memory, mounted for the length of a ``with`` block."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.conftest import missing

_BLOCK_BYTES = 1 << 16


class SmallDisk:
    """A file system of its own; a context manager.

    Args:
        size_mb: Its size, in MiB.
        owner: The user whose it is.

    Attributes:
        folder: Where it is mounted.
    """

    def __init__(self, size_mb: int, owner: int) -> None:
        self._size_mb = size_mb
        self._owner = owner
        self.folder = Path()

    def fill(self) -> None:
        """Leaves no byte."""
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(_BLOCK_BYTES)):
                pass

    def empty(self) -> None:
        """Gives back what `fill` took."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            missing("a disk can be mounted by root alone")
        self.folder = Path(tempfile.mkdtemp(prefix="disk-"))
        asked = f"size={self._size_mb}m,mode=0700,uid={self._owner},gid={self._owner}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", asked, "tmpfs", self.folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            self.folder.rmdir()
            missing(f"no disk can be mounted here: {done.stderr.strip()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        # Lazily: whatever still has a file open there, nothing stays mounted.
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self.folder.rmdir()
