"""What every live host shares of looking at processes.

A table of processes tells those of this user alone. On macOS and Windows it is psutil's;
Linux has its own, which reads the bytes in memory. A scratch machine has no processes but
those below the roots that it was given.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

import psutil

from agent.host import Image, Process

ARGUMENTS_MAX = 16
"""Most arguments looked at for a script's path."""

_S_NS = 1_000_000_000
# What is lost of a start time where seconds are told as a fraction.
_ROUNDING_NS = 1_000_000


class Table(Protocol):
    """The processes of one user."""

    def processes(self) -> tuple[Process, ...]:
        """As `agent.host.Host.processes`."""
        ...

    def image(self, process: Process) -> Image:
        """As `agent.host.Host.image`."""
        ...

    def script(self, process: Process) -> PurePath | None:
        """As `agent.host.Host.script`."""
        ...


@dataclass(frozen=True)
class PsutilTable:
    """Processes as psutil tells them.

    Attributes:
        is_mine: Whether a process is this user's.
        token: The system's start token for a start time in seconds since the epoch.
        roots: Only these processes and their descendants; None for all of this user's.
    """

    is_mine: Callable[[psutil.Process], bool]
    token: Callable[[float], str]
    roots: tuple[int, ...] | None = None

    def processes(self) -> tuple[Process, ...]:
        """As `agent.host.Host.processes`."""
        return tuple(self._told())

    def image(self, process: Process) -> Image:
        """As `agent.host.Host.image`."""
        try:
            found = self._found(process)
            path, started_s = found.exe(), found.create_time()
        except psutil.Error as error:
            raise _os_error(error) from error
        if not path:
            raise _os_error(psutil.AccessDenied())
        return Image(Path(path), None, int(started_s * _S_NS) + _ROUNDING_NS)

    def script(self, process: Process) -> PurePath | None:
        """As `agent.host.Host.script`."""
        try:
            arguments = self._found(process).cmdline()
        except psutil.Error as error:
            raise _os_error(error) from error
        return script_of(arguments)

    def _told(self) -> Iterator[Process]:
        for each in self._candidates():
            with suppress(psutil.Error), each.oneshot():
                if self.is_mine(each):
                    yield Process(each.pid, self.token(each.create_time()))

    def _candidates(self) -> Iterator[psutil.Process]:
        for pid in psutil.pids() if self.roots is None else self.roots:
            with suppress(psutil.Error):
                found = psutil.Process(pid)
                yield found
                if self.roots is not None:
                    yield from found.children(recursive=True)

    def _found(self, process: Process) -> psutil.Process:
        found = psutil.Process(process.pid)
        if self.token(found.create_time()) != process.started:
            raise psutil.NoSuchProcess(process.pid)
        if not self.is_mine(found):
            raise psutil.AccessDenied(process.pid)
        return found


def script_of(arguments: Sequence[str]) -> PurePath | None:
    """The absolute path that a runtime's first argument is, options passed over."""
    words: Iterable[str] = arguments[1:ARGUMENTS_MAX]
    first = next((word for word in words if not word.startswith("-")), "")
    path = Path(first)
    return path if path.is_absolute() and "\x00" not in first else None


def roots_of(system_root: Path | None, roots: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The processes to begin with: none on a scratch machine that names none."""
    return () if roots is None and system_root is not None else roots


def _os_error(error: psutil.Error) -> OSError:
    number = errno.EACCES if isinstance(error, psutil.AccessDenied) else errno.ESRCH
    return OSError(number, os.strerror(number))
