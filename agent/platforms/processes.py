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
from typing import Protocol, TypeVar

import psutil

from agent import started
from agent.host import Image, Process
from agent.started import PART_MAX_BYTES, Started, Unread, Wanted

ARGUMENTS_MAX = 16
"""Most arguments looked at for a script's path."""

_Answer = TypeVar("_Answer")
_Item = TypeVar("_Item")
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

    def started_with(self, process: Process, wanted: Wanted, *, is_script: bool) -> Started:
        """As `agent.host.Host.started_with`."""
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

    def started_with(self, process: Process, wanted: Wanted, *, is_script: bool) -> Started:
        """As `agent.host.Host.started_with`."""
        return started_of(
            lambda: _bounded(self._asked(process, psutil.Process.cmdline)),
            lambda: self._variables(process),
            wanted,
            is_script=is_script,
        )

    def _variables(self, process: Process) -> Iterable[tuple[str, str]]:
        found = self._asked(process, psutil.Process.environ)
        _bounded((*found, *found.values()))
        return found.items()

    def _asked(self, process: Process, ask: Callable[[psutil.Process], _Answer]) -> _Answer:
        try:
            return ask(self._found(process))
        except psutil.Error as error:
            raise _os_error(error) from error

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


def started_of(
    arguments: Callable[[], Sequence[str]],
    variables: Callable[[], Iterable[tuple[str, str]]],
    wanted: Wanted,
    *,
    is_script: bool,
) -> Started:
    """What was asked for of a process, out of what the system tells of it.

    Args:
        arguments: Asks for all of them, the program's name first.
        variables: Asks for all of them.
        wanted: What may be taken; nothing else outlives this call.
        is_script: Whether a script runtime executes it.

    Raises:
        OSError: The process has ended.
    """
    words, no_words = _part("arguments", arguments)
    pairs, no_pairs = _part("variables", variables)
    own = started.own_arguments(list(words), is_script=is_script)
    if own is None and not no_words:
        no_words = (("arguments", started.HIDDEN),)
    # No program of a laptop runs without a single variable.
    taken = list(pairs)
    if not taken and not no_pairs:
        no_pairs = (("variables", started.HIDDEN),)
    return Started(
        flags=started.flags(own[1:], wanted) if own else {},
        variables=started.variables(taken, wanted),
        mode=started.mode(own, wanted) if own else None,
        unread=(*no_words, *no_pairs),
    )


def _part(
    name: started.Part, ask: Callable[[], Iterable[_Item]]
) -> tuple[Iterable[_Item], tuple[Unread, ...]]:
    try:
        return ask(), ()
    except OSError as error:
        if error.errno == errno.ESRCH:
            raise
        reason = started.LONG if error.errno == errno.E2BIG else started.DENIED
        return (), ((name, reason),)


def roots_of(system_root: Path | None, roots: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The processes to begin with: none on a scratch machine that names none."""
    return () if roots is None and system_root is not None else roots


def _bounded(words: Sequence[str]) -> Sequence[str]:
    if sum(len(os.fsencode(word)) + 1 for word in words) > PART_MAX_BYTES:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
    return words


def _os_error(error: psutil.Error) -> OSError:
    number = errno.EACCES if isinstance(error, psutil.AccessDenied) else errno.ESRCH
    return OSError(number, os.strerror(number))
