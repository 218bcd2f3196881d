"""Looking around on a host, for the methods: what is not there is nothing, not an error.

A folder that is missing has no names in it. One that is there and cannot be looked into
is a problem, told once per kind of place, and the search goes on beside it.
"""

import errno
from pathlib import PurePath

from agent.discover.interface import Copy, Found
from agent.fingerprint import reason_of
from agent.host import FileStat, Host

FOLDER_NAMES_MAX = 10_000
"""Most names of one folder that are looked at."""

_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR})


def age_order(version: str) -> tuple[int, ...]:
    """Sorts version numbers such as ``2.1.330``, oldest first; other words come before."""
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(map(str.isdecimal, parts)) else ()


def is_missing(error: OSError) -> bool:
    """Whether an error says that there is no such file."""
    return error.errno in _MISSING


class Look:
    """One method's way round a host, and what it could not see.

    Attributes:
        host: The host.
        watch: What was asked for, and could change the answer.
        problems: What could not be looked into, without paths or names.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.watch: dict[PurePath, None] = {}
        self.problems: dict[str, None] = {}

    def names(self, folder: PurePath, what: str) -> tuple[str, ...]:
        """The names in a folder that may be missing; the folder is watched.

        Args:
            folder: The folder.
            what: What kind of folder it is, to begin a problem's sentence with.
        """
        self.watch[folder] = None
        try:
            names = self.host.listdir(folder)
        except OSError as error:
            self._note(what, error)
            return ()
        if len(names) > FOLDER_NAMES_MAX:
            self.problems[f"{what}: it holds too many names"] = None
        return names[:FOLDER_NAMES_MAX]

    def stat(self, path: PurePath, what: str) -> FileStat | None:
        """Facts of a file that may be missing."""
        try:
            return self.host.stat(path)
        except OSError as error:
            self._note(what, error)
            return None

    def read(self, path: PurePath, what: str, *, max_bytes: int) -> bytes | None:
        """A small file that may be missing; it is watched."""
        self.watch[path] = None
        try:
            return self.host.read(path, max_bytes=max_bytes)
        except OSError as error:
            self._note(what, error)
            return None

    def leads_to(self, path: PurePath, stat: FileStat) -> bool:
        """Whether a path leads to a file that is known already."""
        try:
            return self.host.stat(path).identity == stat.identity
        except OSError:
            return False

    def found(self, copies: list[Copy]) -> Found:
        """What a method says in the end."""
        return Found(tuple(copies), tuple(self.problems), tuple(self.watch))

    def _note(self, what: str, error: OSError) -> None:
        if not is_missing(error):
            self.problems[f"{what}: {reason_of(error)}"] = None
