"""The live host on Linux, WSL included.

Processes are read from ``/proc`` (proc(5)): which are this user's by the owner of their
folder, the start token from ``stat``, and the bytes in memory through ``exe``, which leads to
the very file that runs even when it has no name any more (facts 4.3). A container's program has
its name among files that only the container sees: it is reached through ``root``.
"""

import errno
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from agent.host import Host, Image, Process
from agent.platforms.common import LiveHost, arch
from agent.platforms.posix import login_shell
from agent.platforms.processes import roots_of, script_of, started_of
from agent.started import PART_MAX_BYTES, Started, Wanted

DESCENDANTS_MAX = 10_000
"""Most processes looked at below the roots of a scratch machine."""

ARGUMENTS_MAX_BYTES = 8_192
"""How much of a runtime's arguments is looked at for its script's path."""

_DELETED = " (deleted)"
_STAT_MAX_BYTES = 4_096
_CHILDREN_MAX_BYTES = 65_536
# Counted from the field after the name, which ends with the last bracket: proc(5), field 22.
_START_FIELD = 22 - 3
# The states of one that has ended and whose parent has not asked for its end: proc(5), field 3.
_ENDED = frozenset({b"Z", b"X"})
_S_NS = 1_000_000_000


@dataclass(frozen=True)
class ProcTable:
    """The processes of this user in ``/proc``.

    Attributes:
        roots: Only these and their descendants are looked at; None for all of this user's.
        user: Whose.
    """

    roots: tuple[int, ...] | None = None
    user: int = field(default_factory=os.getuid)

    def processes(self) -> tuple[Process, ...]:
        """As `agent.host.Host.processes`."""
        return tuple(self._mine(self._all() if self.roots is None else self._below(self.roots)))

    def image(self, process: Process) -> Image:
        """As `agent.host.Host.image`."""
        exe = Path(f"/proc/{process.pid}/exe")
        try:
            target = str(exe.readlink())
        finally:
            # One that has ended may have no link any more: that it ended is what counts.
            _require(process)
        # Ticks are rounded down: one more is the latest start.
        ticks = int(process.started) + 1
        boot_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        started_ns = boot_ns + ticks * _S_NS // os.sysconf("SC_CLK_TCK")
        path = Path(target.removesuffix(_DELETED))
        return Image(_reached(process.pid, path, exe), exe, started_ns)

    def script(self, process: Process) -> PurePath | None:
        """As `agent.host.Host.script`."""
        data = _read(f"/proc/{process.pid}/cmdline", ARGUMENTS_MAX_BYTES)
        _require(process)
        if not data:
            # At the beginning of a program its arguments are not there yet.
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return script_of([os.fsdecode(word) for word in data.split(b"\0")])

    def started_with(self, process: Process, wanted: Wanted, *, is_script: bool) -> Started:
        """As `agent.host.Host.started_with`."""
        return started_of(
            lambda: self._words(process, "cmdline"),
            lambda: _pairs(self._words(process, "environ")),
            wanted,
            is_script=is_script,
        )

    def _words(self, process: Process, file: str) -> list[str]:
        data = _read_whole(f"/proc/{process.pid}/{file}", PART_MAX_BYTES)
        _require(process)
        return [os.fsdecode(word) for word in data.removesuffix(b"\0").split(b"\0")] if data else []

    def _mine(self, pids: Iterator[str]) -> Iterator[Process]:
        for pid in pids:
            # A process that ends meanwhile is none.
            with suppress(OSError):
                if os.stat(f"/proc/{pid}").st_uid == self.user:  # noqa: PTH116 - asked 400 times
                    yield Process(int(pid), _started(pid))

    def _all(self) -> Iterator[str]:
        return (name for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208 - names

    def _below(self, roots: tuple[int, ...]) -> Iterator[str]:
        waiting = [str(pid) for pid in roots]
        for _ in range(DESCENDANTS_MAX):
            if not waiting:
                return
            pid = waiting.pop()
            yield pid
            with suppress(OSError):
                for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names
                    children = _read(f"/proc/{pid}/task/{thread}/children", _CHILDREN_MAX_BYTES)
                    waiting += children.decode("ascii").split()


def live(
    *,
    home: Path,
    system_root: Path | None,
    environment: Mapping[str, str],
    process_roots: tuple[int, ...] | None = None,
) -> Host:
    """As `agent.platforms.live`, on Linux."""
    return LiveHost(
        system="linux",
        arch=arch(),
        home=home,
        login_shell=login_shell(environment, system_root=system_root, fallback="bash"),
        environment=environment,
        root=system_root,
        managed_name="/etc/claude-code",
        table=ProcTable(roots_of(system_root, process_roots)),
    )


def _reached(pid: int, path: Path, exe: Path) -> Path:
    """The path by which this process reaches what another one calls so."""
    try:
        if os.stat(f"/proc/{pid}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino:  # noqa: PTH116 - asked of each session
            return path
    except OSError:
        return path
    with suppress(OSError):
        # Most sandboxes of desktop programs leave the home where it is.
        if path.samefile(exe):
            return path
    return Path(f"/proc/{pid}/root{path}")


def _started(pid: str) -> str:
    fields = _read(f"/proc/{pid}/stat", _STAT_MAX_BYTES).rpartition(b")")[2].split()
    if len(fields) <= _START_FIELD or fields[0] in _ENDED:
        raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
    return fields[_START_FIELD].decode("ascii")


def _require(process: Process) -> None:
    # The number may have been given to another process since it was listed.
    if _started(str(process.pid)) != process.started:
        raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))


def _pairs(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition("=") for word in words)]


def _read_whole(path: str, most: int) -> bytes:
    with Path(path).open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.E2BIG, os.strerror(errno.E2BIG))
    return data


def _read(path: str, most: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)
