"""The live host on Windows.

Windows has no login shell with start files: PATH is what the environment says, and a
program's name is tried with each suffix of ``PATHEXT``.
"""

import functools
from collections.abc import Mapping
from pathlib import Path

import psutil

from agent.host import Host
from agent.platforms.common import LiveHost, arch
from agent.platforms.processes import PsutilTable, roots_of

_FILETIME_EPOCH = 116_444_736_000_000_000
_PATHEXT = ".COM;.EXE;.BAT;.CMD"


def suffixes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the command processor tries after a program's name, in order and lower case."""
    words = environment.get("PATHEXT", _PATHEXT).lower().split(";")
    return tuple(word for word in words if word.startswith("."))


def live(
    *,
    home: Path,
    system_root: Path | None,
    environment: Mapping[str, str],
    process_roots: tuple[int, ...] | None = None,
) -> Host:
    """As `agent.platforms.live`, on Windows."""
    return LiveHost(
        system="win32",
        arch=arch(),
        home=home,
        login_shell="cmd",
        environment=environment,
        root=system_root,
        managed_name="C:/Program Files/ClaudeCode",
        suffixes=suffixes(environment),
        table=PsutilTable(_is_mine, filetime, roots_of(system_root, process_roots)),
    )


def filetime(seconds: float) -> str:
    """A time since the epoch in hundreds of nanoseconds since 1601 (winnt.h, FILETIME)."""
    return str(int(seconds * 1e7) + _FILETIME_EPOCH)


def _is_mine(process: psutil.Process) -> bool:
    return process.username() == _user()


@functools.cache
def _user() -> str:
    return psutil.Process().username()
