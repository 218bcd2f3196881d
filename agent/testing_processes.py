r"""The processes of a recorded machine, for `agent.testing`.

    [[processes]]
    pid = 41
    started = 1_700_000_000
    exe = 'C:\Users\u\.local\bin\claude.exe'

A process may have a ``memory``, the path under which its bytes are read, a ``script``, what its
runtime was told to run, its ``arguments``, the program's name first, and its ``variables``; where
one of these two is missing it cannot be read. ``denied = true`` is a process that cannot be
looked at. ``started`` is in seconds since the epoch; it is the start token where there is no
``token``.
"""

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from agent.host import Image, Process
from agent.platforms.processes import started_of
from agent.started import Started, Wanted


class RecordedProcesses:
    """The part of a `agent.host.Host` that tells processes."""

    def __init__(self, entries: Iterable[Mapping[str, Any]], style: type[PurePath]) -> None:
        """Keeps the processes of a tree, whose paths are of a style."""
        self._path_style = style
        self._processes = {
            Process(each["pid"], each.get("token", str(each["started"]))): each for each in entries
        }

    def processes(self) -> tuple[Process, ...]:
        """As `agent.host.Host.processes`."""
        return tuple(self._processes)

    def image(self, process: Process) -> Image:
        """As `agent.host.Host.image`."""
        entry = self._entry(process)
        memory = self._path_style(entry["memory"]) if "memory" in entry else None
        return Image(self._path_style(entry["exe"]), memory, entry["started"] * 10**9)

    def script(self, process: Process) -> PurePath | None:
        """As `agent.host.Host.script`."""
        entry = self._entry(process)
        return self._path_style(entry["script"]) if "script" in entry else None

    def started_with(self, process: Process, wanted: Wanted, *, is_script: bool) -> Started:
        """As `agent.host.Host.started_with`."""
        entry = self._entry(process)
        return started_of(
            lambda: _recorded(entry, "arguments"),
            lambda: _recorded(entry, "variables").items(),
            wanted,
            is_script=is_script,
        )

    def _entry(self, process: Process) -> Mapping[str, Any]:
        if process not in self._processes:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        entry = self._processes[process]
        if entry.get("denied", False):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return entry


def _recorded(entry: Mapping[str, Any], part: str) -> Any:
    if part not in entry:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return entry[part]
