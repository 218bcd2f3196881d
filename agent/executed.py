"""What one process that is a session executes: read once, then followed.

The build is read from memory where the system offers that, else from the file, as long as that
file is older than the process. What a process executes does not change, but its file may be
deleted or replaced under it, and a process may go over to another program (execve(2)) under
its old number and start token: that one is to be examined anew.
"""

import errno
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

import msgspec

from agent import sessions, wire
from agent.discover.look import is_missing
from agent.fingerprint import Fingerprints, Progress, reason_of
from agent.host import FileStat, Host, Image, Process

LATER = "its file was changed after it was started"
"""The reason where the bytes on disk need not be those in memory."""

GONE = "its file is gone, and this system shows no memory"
"""The reason where there is nothing to read the bytes from."""

NO_SCRIPT = "it runs a script that is not of a known install"
"""The reason where a runtime is a session and its script is not known."""

DENIED = "it may not be looked at"
"""The reason where the system does not tell what a session executes."""

STUB = "it is npm's placeholder"
"""The reason where nothing of Claude Code's is executed."""

PASSING = frozenset({errno.ESRCH, errno.EAGAIN})
"""A process that ended a moment ago, or begins only now: the next look sees."""

_S_NS = 1_000_000_000


@dataclass(frozen=True)
class Executed:
    """What a session executes.

    Attributes:
        session: What may be sent.
        program: The file that it was started from: of a runtime, its script.
        started_at: When, epoch seconds; None where the system does not tell.
        runs: The program by the system's word; None where that is denied.
        memory: Where the file in memory is reached; None where the system does not show it.
        first: That file's facts when it was first seen; None where it was not examined.
    """

    session: wire.Session
    program: PurePath
    started_at: int | None = None
    runs: PurePath | None = None
    memory: PurePath | None = None
    first: FileStat | None = None


def image_of(host: Host, process: Process) -> Image:
    """What a process executes: of a runtime, its script, whose bytes no system shows.

    Raises:
        OSError: It has ended, or cannot be looked at.
    """
    image = host.image(process)
    script = host.script(process) if sessions.is_runtime(image.path) else None
    if script is None:
        return image
    # Where it is gone, the path that it was told is all that is left of it.
    with suppress(OSError):
        script = host.resolve(script)
    return replace(image, path=script, memory=None)


def examine(
    host: Host, fingerprints: Fingerprints, process: Process, progress: Progress | None
) -> Executed | None:
    """What a session executes, with its bytes; None if it ended meanwhile.

    Args:
        host: The machine.
        fingerprints: Knows or finds the build of each program.
        process: The session.
        progress: Told how far hashing is.
    """
    try:
        runs, image = host.image(process).path, image_of(host, process)
    except OSError as error:
        denied = Executed(wire.Session("present", reason=DENIED), PurePath("?"))
        return None if error.errno in PASSING else denied
    started_at = image.started_ns // _S_NS
    base = Executed(wire.Session("present"), image.path, started_at, runs, image.memory)
    found = _read(host, fingerprints, image, base, progress)
    # Else its number may have been another one's while the file was read.
    return found if found is not None and goes_on(host, process, found) else None


def goes_on(host: Host, process: Process, before: Executed) -> bool:
    """Whether a process runs, and still what it was found to execute."""
    try:
        image = host.image(process)
        # A file that was renamed under it is still what it executes.
        if before.memory is None and image.path == before.runs:
            return True
        here = host.stat(image.memory or image.path)
    except OSError as error:
        return error.errno not in PASSING
    return before.first is not None and here.identity == before.first.identity


def followed(host: Host, before: Executed) -> Executed:
    """The same with the present state of its file."""
    if before.first is None:
        return before
    file: wire.SessionFile = "present"
    try:
        there = host.stat(before.program)
        here = host.stat(before.memory) if before.memory else before.first
    except OSError as error:
        file = "deleted" if is_missing(error) else before.session.file
    else:
        file = "present" if _alike(there, here) else "replaced"
    return _told(before, file, before.session.build, before.session.reason)


def _read(
    host: Host,
    fingerprints: Fingerprints,
    image: Image,
    base: Executed,
    progress: Progress | None,
) -> Executed | None:
    if sessions.is_runtime(image.path):
        return replace(_told(base, "present", reason=NO_SCRIPT), memory=None)
    bytes_in = image.memory or image.path
    try:
        first = host.stat(bytes_in)
    except OSError as error:
        # Memory that cannot be reached is that of a process that ended meanwhile.
        return None if image.memory else _lost(base, error)
    if image.memory is None and max(first.mtime_ns, first.ctime_ns) > image.started_ns:
        return _told(base, "replaced", reason=LATER)
    reading = fingerprints.examine(host, bytes_in, progress)
    why = None if reading.build else reading.reason or STUB
    return followed(host, replace(_told(base, "present", reading.build, why), first=first))


def _lost(base: Executed, error: OSError) -> Executed:
    if is_missing(error):
        return _told(base, "deleted", reason=GONE)
    return _told(base, "present", reason=reason_of(error))


def _alike(one: FileStat, other: FileStat) -> bool:
    return (one.identity, one.size, one.mtime_ns) == (other.identity, other.size, other.mtime_ns)


def _told(
    base: Executed,
    file: wire.SessionFile,
    build: wire.Build | None = None,
    reason: str | None = None,
) -> Executed:
    session = msgspec.structs.replace(base.session, file=file, build=build, reason=reason)
    return replace(base, session=session)
