"""What a cheap look at the watched files says: the same as before, or not.

Only `stat` is asked, once a minute: no file is opened and no folder listed. A folder's own
change of time tells of names that came or went in it, and a path that is missing is watched
too, for the day it appears.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath

from agent.host import FileStat, Host

WATCHED_MAX = 2_000
"""Most paths looked at each time; the full cycle sees the rest."""

Seen = Mapping[PurePath, FileStat | int | None]
"""A path's facts, or the error number that stood in their place."""


def snapshot(host: Host, paths: Iterable[PurePath]) -> Seen:
    """The facts of each path at this moment.

    Args:
        host: Asked for them; links are followed.
        paths: Files and folders, missing ones too.
    """
    return {path: _facts(host, path) for path in sorted(set(paths))[:WATCHED_MAX]}


def stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes when a small file of our own is replaced; None while it is missing."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _facts(host: Host, path: PurePath) -> FileStat | int | None:
    try:
        return host.stat(path)
    except OSError as error:
        return error.errno
