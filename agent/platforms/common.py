"""What every live host shares: looking at files without leaving a trace.

A file is opened for reading, without blocking and without changing its access time where
the system allows that, and only if it is a regular file: a pipe in somebody's home cannot
hold the agent up, and a scan cannot be seen in the files and folders that it read. What a
kernel notes of a link that was followed, its access time, no program can keep it from.
"""

import errno
import os
import platform
import stat as stat_bits
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

from agent.host import FileStat, Image, PolicyScope, Process
from agent.platforms.processes import Table
from agent.started import Started, Wanted

_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_LISTS_DESCRIPTORS = os.listdir in os.supports_fd and hasattr(os, "O_DIRECTORY")

_ARCHES = {
    "x86_64": "x64",
    "amd64": "x64",
    "aarch64": "arm64",
    "arm64": "arm64",
}


def arch() -> str:
    """``x64`` or ``arm64``, or the system's own word for another one, in lower case."""
    word = platform.machine().lower()
    return _ARCHES.get(word, word or "unknown")


def open_quietly(path: Path) -> BinaryIO:
    """A regular file, opened for reading without a trace and without waiting.

    Raises:
        OSError: It cannot be read, or is not a regular file (``errno.EINVAL``).
    """
    descriptor = _open_descriptor(path)
    # Asked before there is a file object: to make one of a folder fails, and leaves it open.
    if not stat_bits.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return os.fdopen(descriptor, "rb", buffering=0)


def list_quietly(path: Path) -> list[str]:
    """The names in a folder, listed without a trace.

    Raises:
        OSError: It is no folder, or cannot be read.
    """
    if not _LISTS_DESCRIPTORS:
        return os.listdir(path)  # noqa: PTH208 - names, not paths
    descriptor = _open_descriptor(path, os.O_DIRECTORY)
    try:
        return os.listdir(descriptor)  # noqa: PTH208 - a path would be opened again
    finally:
        os.close(descriptor)


def _open_descriptor(path: Path, more: int = 0) -> int:
    flags = _OPEN_FLAGS | more
    if _NO_ATIME:
        try:
            return os.open(path, flags | _NO_ATIME)
        except PermissionError:
            # Only a file's owner may ask for O_NOATIME (open(2)); a reader may still read.
            pass
    return os.open(path, flags)


def file_stat(found: os.stat_result, *, executable: bool) -> FileStat:
    """The facts that the agent uses of what the system says of a file."""
    return FileStat(
        dev=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        ctime_ns=found.st_ctime_ns,
        is_file=stat_bits.S_ISREG(found.st_mode),
        is_dir=stat_bits.S_ISDIR(found.st_mode),
        executable=executable,
    )


PolicyReader = Callable[[PolicyScope], str | None]
"""Reads a policy value as `agent.host.Host.managed_policy` says."""


def no_policy(_scope: PolicyScope) -> None:
    """The policy value of a system that has none."""


VariablesReader = Callable[[PolicyScope, Callable[[str], bool]], Mapping[str, str]]
"""Reads variables as `agent.host.Host.user_variables` says."""


def no_variables(_scope: PolicyScope, _wanted: Callable[[str], bool]) -> Mapping[str, str]:
    """The variables of a system that keeps none."""
    return {}


def preference_names(user: str) -> tuple[str, ...]:
    """Where macOS keeps managed preferences: the user's, then the machine's (facts 3.2)."""
    folder, file = "/Library/Managed Preferences", "com.anthropic.claudecode.plist"
    return (f"{folder}/{user}/{file}", f"{folder}/{file}")


@dataclass(frozen=True)
class LiveHost:
    """A `agent.host.Host` over this machine's own files.

    Attributes:
        system: ``darwin``, ``linux`` or ``win32``.
        arch: As `arch` says.
        home: The home folder to look at.
        login_shell: Base name of the user's login shell.
        environment: What the agent was started with.
        root: Put before every system-wide path; None for the real root.
        managed_name: The folder of managed settings, before `root` (facts 3.2).
        table: Its processes.
        suffixes: What a shell tries after a program's name; ``("",)`` on POSIX.
        preference_names: Property lists of managed preferences, before `root`.
        policy: Reads the system's policy value.
        variables: Reads the variables that the system keeps.
    """

    system: str
    arch: str
    home: Path
    login_shell: str
    environment: Mapping[str, str]
    root: Path | None
    managed_name: str
    table: Table
    suffixes: tuple[str, ...] = ("",)
    preference_names: tuple[str, ...] = ()
    policy: PolicyReader = no_policy
    variables: VariablesReader = no_variables

    @property
    def managed_settings(self) -> Path:
        """The system's folder of managed settings files (facts 3.2)."""
        return self.system_file(self.managed_name)

    @property
    def managed_preferences(self) -> tuple[Path, ...]:
        """As `agent.host.Host.managed_preferences`."""
        return tuple(self.system_file(name) for name in self.preference_names)

    def managed_policy(self, scope: PolicyScope) -> str | None:
        """As `agent.host.Host.managed_policy`."""
        return self.policy(scope)

    def user_variables(
        self, scope: PolicyScope, wanted: Callable[[str], bool]
    ) -> Mapping[str, str]:
        """As `agent.host.Host.user_variables`."""
        return self.variables(scope, wanted)

    def system_file(self, name: str) -> Path:
        """A system-wide file, below `root` where there is one.

        A path that already lies below `root` is returned as it is.
        """
        path = Path(name)
        if self.root is None or path.is_relative_to(self.root):
            return path
        return self.root / path.relative_to(path.anchor)

    def stat(self, path: PurePath) -> FileStat:
        """As `agent.host.Host.stat`."""
        return file_stat(_refuse_nul(path).stat(), executable=os.access(path, os.X_OK))

    def stat_open(self, file: BinaryIO) -> FileStat:
        """As `agent.host.Host.stat_open`."""
        return file_stat(os.fstat(file.fileno()), executable=False)

    def resolve(self, path: PurePath) -> Path:
        """As `agent.host.Host.resolve`."""
        try:
            return _refuse_nul(path).resolve(strict=True)
        except RuntimeError as loop:
            # Up to Python 3.12 a loop of links is no OSError.
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from loop

    def listdir(self, path: PurePath) -> tuple[str, ...]:
        """As `agent.host.Host.listdir`."""
        return tuple(sorted(list_quietly(_refuse_nul(path))))

    def open(self, path: PurePath) -> BinaryIO:
        """As `agent.host.Host.open`."""
        return open_quietly(_refuse_nul(path))

    def read(self, path: PurePath, *, max_bytes: int) -> bytes:
        """As `agent.host.Host.read`."""
        with self.open(path) as file:
            chunks = []
            left = max_bytes + 1
            while left and (chunk := file.read(left)):
                chunks.append(chunk)
                left -= len(chunk)
        if not left:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return b"".join(chunks)

    def walk_path(self, entries: tuple[PurePath, ...], program: str) -> Iterator[Path]:
        """As `agent.host.Host.walk_path`."""
        for entry in entries:
            for suffix in self.suffixes:
                candidate = Path(entry, program + suffix)
                if self._runs(candidate):
                    yield candidate

    def processes(self) -> tuple[Process, ...]:
        """As `agent.host.Host.processes`."""
        return self.table.processes()

    def image(self, process: Process) -> Image:
        """As `agent.host.Host.image`."""
        return self.table.image(process)

    def script(self, process: Process) -> PurePath | None:
        """As `agent.host.Host.script`."""
        return self.table.script(process)

    def started_with(self, process: Process, wanted: Wanted, *, is_script: bool) -> Started:
        """As `agent.host.Host.started_with`."""
        return self.table.started_with(process, wanted, is_script=is_script)

    def _runs(self, candidate: Path) -> bool:
        try:
            found = self.stat(candidate)
        except OSError:
            return False
        return found.is_file and found.executable


def _refuse_nul(path: PurePath) -> Path:
    # Python raises ValueError for these; no system has such a file.
    if "\x00" in str(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return Path(path)
