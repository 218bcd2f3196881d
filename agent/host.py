"""The one seam between the agent and the machine it looks at.

Discovery, configuration and fingerprints ask a `Host` and nothing else, so a recorded
tree of another system is judged by the same code as a live laptop. A host opens files
for reading only; there is no call that writes, and none that runs a program. Of processes
it tells those of its own user: which program each one executes, and of its arguments and
variables those alone that are asked for by name.

Paths are absolute `pathlib.PurePath`s of the host's own style (a recorded Windows tree
is asked in Windows paths while it lies on a Linux disk).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, Literal, Protocol

from agent.started import Started, Wanted

PolicyScope = Literal["machine", "user"]
"""Whose policy or variables: set for all users of the machine, or for this one."""


@dataclass(frozen=True)
class FileStat:
    """What tells one state of a file from another.

    Attributes:
        dev: Device number; with `inode` it names the file whatever its paths.
        inode: File number on that device.
        size: Bytes.
        mtime_ns: Last change of content, nanoseconds.
        ctime_ns: Last change of content or metadata, nanoseconds.
        is_file: A regular file.
        is_dir: A folder.
        executable: This user may execute it.
    """

    dev: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    is_file: bool
    is_dir: bool
    executable: bool

    @property
    def identity(self) -> tuple[int, int]:
        """Names the file itself: two paths with equal identity are one file."""
        return (self.dev, self.inode)


@dataclass(frozen=True)
class Process:
    """Names one running process, also after its number was given to another one.

    Attributes:
        pid: Its number.
        started: The system's own token of its start (facts 4.2): ticks since boot on Linux, a
            date on macOS, a FILETIME on Windows.
    """

    pid: int
    started: str


@dataclass(frozen=True)
class Image:
    """What a process executes.

    Attributes:
        path: The program file by the system's word, as the agent reaches it; there may be none, or
            another one, by now.
        memory: A path under which the bytes in memory are read whatever became of `path`; None
            where the system offers none.
        started_ns: When the process started, at the latest; nanoseconds since the epoch.
    """

    path: PurePath
    memory: PurePath | None
    started_ns: int


class Host(Protocol):
    """One user on one system, live or recorded."""

    @property
    def system(self) -> str:
        """``darwin``, ``linux`` or ``win32``."""
        ...

    @property
    def arch(self) -> str:
        """``arm64``, ``x64``, or the system's own word for another one."""
        ...

    @property
    def home(self) -> PurePath:
        """The user's home folder."""
        ...

    @property
    def login_shell(self) -> str:
        """Base name of the user's login shell: ``bash``, ``zsh``, ``fish``, ..."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The agent's own environment.

        For folder variables and for what ``check`` shows apart; never sent.
        """
        ...

    @property
    def managed_settings(self) -> PurePath:
        """The system's folder of managed settings files (facts 3.2)."""
        ...

    @property
    def managed_preferences(self) -> tuple[PurePath, ...]:
        """Property lists of the system's own management, the user's before the machine's.

        Only macOS has these (facts 3.2).
        """
        ...

    def managed_policy(self, scope: PolicyScope) -> str | None:
        """The text of the system's policy value for Claude Code; None where there is none.

        Only Windows has these (facts 3.2).

        Raises:
            OSError: It cannot be read, or is no text.
        """
        ...

    def user_variables(
        self, scope: PolicyScope, wanted: Callable[[str], bool]
    ) -> Mapping[str, str]:
        """The variables that the system itself keeps for this user's programs, and gives to each.

        Only Windows has these, in its registry; a name is told in capitals. What macOS is told by
        ``launchctl setenv`` lies in no file: running sessions show it.

        Args:
            scope: Set for all users of the machine, or for this one.
            wanted: Whether a variable may be told; no other one is.

        Raises:
            OSError: They cannot be read.
        """
        ...

    def system_file(self, name: str) -> PurePath:
        """A system-wide file by its POSIX name, such as ``/etc/profile``.

        A live host returns the path itself; a host with a root puts the root before it.
        """
        ...

    def stat(self, path: PurePath) -> FileStat:
        """Facts of the file that a path leads to, links followed.

        Raises:
            OSError: There is none, or it cannot be reached.
        """
        ...

    def stat_open(self, file: BinaryIO) -> FileStat:
        """Facts of a file that `open` returned, whatever its path leads to by now.

        `FileStat.executable` is not asked for here and is False.

        Raises:
            OSError: The system cannot tell.
        """
        ...

    def resolve(self, path: PurePath) -> PurePath:
        """The path with every link followed.

        Raises:
            OSError: There is none, a link loops, or it cannot be reached.
        """
        ...

    def listdir(self, path: PurePath) -> tuple[str, ...]:
        """Names in a folder, sorted.

        Raises:
            OSError: It is no folder, or cannot be read.
        """
        ...

    def open(self, path: PurePath) -> BinaryIO:
        """A regular file, opened for reading; a pipe or device is refused.

        Reading leaves no trace: access times are not changed where the system allows it.

        Raises:
            OSError: It cannot be read, or is not a regular file.
        """
        ...

    def read(self, path: PurePath, *, max_bytes: int) -> bytes:
        """A small file's bytes.

        Raises:
            OSError: It cannot be read, is not a regular file, or holds more than `max_bytes`
                (``errno.EFBIG``).
        """
        ...

    def walk_path(self, entries: tuple[PurePath, ...], program: str) -> Iterator[PurePath]:
        """Each executable file that `program` names in a list of PATH folders, in order."""
        ...

    def processes(self) -> tuple[Process, ...]:
        """The running processes of this user alone, in any order.

        A host with process roots tells those processes and their descendants, and looks at no
        other one.

        Raises:
            OSError: The system does not tell them.
        """
        ...

    def image(self, process: Process) -> Image:
        """What a process executes.

        Raises:
            OSError: It has ended, or cannot be looked at.
        """
        ...

    def script(self, process: Process) -> PurePath | None:
        """The file that a script runtime was told to run: its first argument that is no option.

        None where that is no absolute path. No other argument is looked at.

        Raises:
            OSError: It has ended, or cannot be looked at.
        """
        ...

    def started_with(self, process: Process, wanted: Wanted, *, is_script: bool) -> Started:
        """What of a process's arguments and variables was asked for; no other word is kept.

        They are those that it was started with, as far as it has not written over them. What of
        them may not be read, or is too much, is told as unread.

        Args:
            process: One of this user.
            wanted: What may be taken.
            is_script: Whether a script runtime executes it.

        Raises:
            OSError: It has ended.
        """
        ...
