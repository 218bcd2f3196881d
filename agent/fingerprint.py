"""From a program file to its build: the bytes are hashed once and remembered.

A build is named by the SHA-256 of its whole file, some hundreds of megabytes, so results
are kept under the file's (dev, inode, size, mtime, ctime), taken from the open file and
not from its path: no other file can slip in between. A file that changed while it was read,
or so lately that it could change again within one tick of the file system's clock, is not
remembered. The cache is a convenience: a damaged one is an empty one, and it is written
only when it changed.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import BinaryIO

import msgspec

from agent import build_info, wire
from agent.host import FileStat, Host

CACHE_VERSION = 1
"""Of the cache file's shape; a file of another version is an empty cache."""

CACHE_ENTRIES_MAX = 256
"""Most builds remembered; the longest unused go first."""

CACHE_MAX_BYTES = 1024 * 1024
"""Largest cache file that is read."""

PROGRAM_MAX_BYTES = 4 * 1024**3
"""Largest program file that is hashed; the largest public one has a tenth (facts 1.5)."""

STUB_SHA256 = "6d7abae055d3b598281300a6c835086dec81bf3048f8a2294c5d3e50c8830d7b"
"""npm's unfilled placeholder, the same in every release (facts 1.3)."""

STUB_BYTES = 500
"""Its size."""

SETTLED_NS = 2_000_000_000
"""How long a file must have lain unchanged before its build is remembered, in nanoseconds."""

CHANGED = "it changed while it was read"
"""The reason for a file that was not the same before and after."""

Progress = Callable[[int, int], None]
"""Told (bytes hashed, bytes in all) of one file, now and then."""

_BUFFER_BYTES = 256 * 1024
_PROGRESS_BYTES = 8 * 1024 * 1024

_ERRNO_REASONS = {
    errno.EACCES: "it may not be read",
    errno.EPERM: "it may not be read",
    errno.ENOENT: "it is not there",
    errno.ENOTDIR: "it is not there",
    errno.ELOOP: "its links lead in a circle",
    errno.EINVAL: "it is not a regular file",
    errno.EISDIR: "it is not a regular file",
    errno.ENXIO: "it is not a regular file",
    errno.EFBIG: "it is too big",
}


def reason_of(error: OSError) -> str:
    """Why a file cannot be examined, in words without a path or a name."""
    return _ERRNO_REASONS.get(error.errno or 0, "it cannot be read")


@dataclass(frozen=True)
class Reading:
    """What examining one program file gave.

    Attributes:
        build: Its bytes; None for a stub, and where they could not be examined.
        built: When its bytes say that they were built, ISO 8601; told on the laptop only.
        stub: It is npm's unfilled placeholder.
        reason: Why there is no build.
    """

    build: wire.Build | None = None
    built: str | None = None
    stub: bool = False
    reason: str | None = None


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: tuple[int, int, int, int, int]
    build: wire.Build
    built: str | None


class _Cache(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    entries: list[_Entry]


class Fingerprints:
    """Program files to builds, through the cache file of one state folder."""

    def __init__(self, cache: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        """Reads the cache, or begins an empty one.

        Args:
            cache: The cache file; its folder need not exist before `save`.
            clock: Nanoseconds since the epoch, by the clock that stamps files.
        """
        self._file = cache
        self._clock = clock
        self._entries = _load(cache)
        self._changed = False

    def examine(self, host: Host, path: PurePath, progress: Progress | None = None) -> Reading:
        """The build of the program file at a path.

        Never raises for what the file is: what cannot be examined is a reading with a
        reason.

        Args:
            host: Opens the file.
            path: The program file; links are followed.
            progress: Told how far hashing is; not called when the cache knows the file.
        """
        try:
            with host.open(path) as file:
                reading = self._examine(host, file, progress)
        except OSError as error:
            return Reading(reason=reason_of(error))
        if reading.build is not None and _in_bundle(path):
            return Reading(
                build=msgspec.structs.replace(reading.build, form="bundle"), built=reading.built
            )
        return reading

    def save(self) -> None:
        """Writes the cache if it changed since it was read.

        Raises:
            OSError: The state folder cannot be written.
        """
        if not self._changed:
            return
        kept = list(self._entries.values())[-CACHE_ENTRIES_MAX:]
        data = msgspec.json.encode(_Cache(version=CACHE_VERSION, entries=kept))
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Not synced: a file torn by a power cut is an empty cache, and costs one hashing.
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        beside.replace(self._file)
        self._changed = False

    def _examine(self, host: Host, file: BinaryIO, progress: Progress | None) -> Reading:
        before = host.stat_open(file)
        known = self._entries.pop(_key(before), None)
        if known is not None:
            self._entries[known.key] = known
            return Reading(build=known.build, built=known.built)
        if before.size > PROGRAM_MAX_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        info = build_info.read(file)
        if info.form is None and before.size != STUB_BYTES:
            return Reading(reason=info.reason)
        sha256 = _sha256(file, before.size, progress)
        after = host.stat_open(file)
        if _only_times_differ(before, after):
            # A new name or new permissions stamp a file too: its bytes are read again.
            before, sha256 = after, _sha256(file, before.size, progress)
            after = host.stat_open(file)
        if after != before:
            return Reading(reason=CHANGED)
        if sha256 == STUB_SHA256:
            return Reading(stub=True)
        if info.form is None:
            return Reading(reason=info.reason)
        return self._remember(before, sha256, info)

    def _remember(self, stat: FileStat, sha256: str, info: build_info.BuildInfo) -> Reading:
        build = wire.Build(
            sha256=sha256,
            size=stat.size,
            form=info.form or "binary",
            version=info.version,
            platform=info.platform,
            commit=info.commit,
            package=info.package,
        )
        if max(stat.mtime_ns, stat.ctime_ns) < self._clock() - SETTLED_NS:
            self._entries[_key(stat)] = _Entry(key=_key(stat), build=build, built=info.built)
            self._changed = True
        return Reading(build=build, built=info.built)


def _load(cache: Path) -> dict[tuple[int, int, int, int, int], _Entry]:
    try:
        with cache.open("rb") as file:
            data = file.read(CACHE_MAX_BYTES + 1)
        found = msgspec.json.decode(data, type=_Cache)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    if found.version != CACHE_VERSION or len(data) > CACHE_MAX_BYTES:
        return {}
    return {entry.key: entry for entry in found.entries}


def _key(stat: FileStat) -> tuple[int, int, int, int, int]:
    return (stat.dev, stat.inode, stat.size, stat.mtime_ns, stat.ctime_ns)


def _sha256(file: BinaryIO, total: int, progress: Progress | None) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    # One buffer that stays in the processor's cache: the copy out of the page cache costs
    # less than a mapping's page faults, and a file cut short meanwhile raises no signal.
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    done = told = 0
    # A file that grows is not followed: the caller sees that its size changed.
    while done <= total and (size := file.readinto(buffer)):  # type: ignore[attr-defined]
        digest.update(buffer[:size])
        done += size
        if progress and done - told >= _PROGRESS_BYTES:
            progress(done, total)
            told = done
    return digest.hexdigest()


def _only_times_differ(before: FileStat, after: FileStat) -> bool:
    return after.ctime_ns != before.ctime_ns and after == replace(before, ctime_ns=after.ctime_ns)


def _in_bundle(path: PurePath) -> bool:
    # macOS app bundle: <name>.app/Contents/MacOS/<program> (facts 1.1).
    return path.parts[-3:-1] == ("Contents", "MacOS") and path.parts[-4].endswith(".app")
