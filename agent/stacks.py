"""Where the daemon was when it had to be ended: the stacks of its threads.

A daemon that hangs or crashes is not mended from within; it ends, and its service manager begins
it again. What is left behind is a small file with the place in the code of each thread: names
of files and functions of the program, and no value. The interpreter writes it without help of
Python code (faulthandler), so that not even an endless loop in C is in the way. The next
daemon puts it into its log.
"""

import faulthandler
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import structlog

from agent import state_files
from agent.errors import AgentError

STACKS_MAX_BYTES = 65_536
"""Most of an earlier daemon's stacks that is logged, in bytes."""

FILE_NAME = "stacks.txt"
"""Where they lie, in the state folder."""

_log = structlog.stdlib.get_logger("agent.stacks")


class Stacks:
    """Writes down where the threads are when it is time to end."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @contextmanager
    def limit(self, limit_s: float) -> Iterator[None]:
        """Ends this process with the code 1, stacks written, if the block takes longer."""
        faulthandler.dump_traceback_later(limit_s, exit=True, file=self._file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def kept(state_dir: Path) -> Iterator[Stacks]:
    """Tells what an earlier daemon left behind, and keeps watch while the block runs.

    Raises:
        AgentError: The state folder cannot be used.
    """
    file = state_dir / FILE_NAME
    state_files.prepare(state_dir)
    try:
        _tell(file)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise AgentError(
            f"cannot use {file}: {error.strerror}",
            advice="check the folder's owner and free space, or set state_dir to another one",
        ) from error
    with os.fdopen(descriptor, "w") as stream:
        faulthandler.enable(stream)
        try:
            yield Stacks(stream)
        finally:
            faulthandler.disable()


def _tell(file: Path) -> None:
    try:
        with file.open("rb") as stream:
            left = stream.read(STACKS_MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return
    if left:
        _log.error("the agent before this one was ended", stacks=left.splitlines())
