"""Looking at this user's processes for running sessions; each process is examined once.

A process is named by its number and start token, and what it is does not change: a known one
costs a comparison, a known session two `stat` calls more, since its file may be deleted or
replaced under it. The build is read from memory where the system offers that, else from the
file, as long as that file is older than the process.
"""

import errno
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

import msgspec

from agent import claims, sessions, wire
from agent.claims import Claim
from agent.discover.census import LocalInstall
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

# Ended a moment ago, or begun only now: the next look sees.
_PASSING = frozenset({errno.ESRCH, errno.EAGAIN})


@dataclass(frozen=True)
class LocalSession:
    """A running session with what is told on the laptop only.

    Attributes:
        session: What may be sent.
        program: The file that it was started from.
    """

    session: wire.Session
    program: PurePath


NONE_RUN: tuple[LocalSession, ...] = ()
"""What is known before anything was looked at."""


@dataclass(frozen=True)
class _Known:
    """A process that is a session.

    Attributes:
        local: What was found of it.
        memory: Where the file in memory is reached; None where the system does not show it.
        first: That file's facts when it was first seen; None where it was not examined.
    """

    local: LocalSession
    memory: PurePath | None = None
    first: FileStat | None = None


@dataclass(frozen=True)
class _Programs:
    """The program files that are known to be Claude Code's."""

    files: frozenset[tuple[int, int]] = frozenset()
    paths: frozenset[PurePath] = frozenset()


class Running:
    """The running sessions of one user, followed from look to look."""

    def __init__(self) -> None:
        """Has looked at nothing yet."""
        self._sessions: dict[Process, _Known] = {}
        self._others: frozenset[Process] = frozenset()
        self._programs = _Programs()

    def look(
        self,
        host: Host,
        fingerprints: Fingerprints,
        installs: Iterable[LocalInstall],
        progress: Progress | None = None,
    ) -> tuple[LocalSession, ...]:
        """The sessions that run now; only processes that are new are examined.

        Args:
            host: The machine.
            fingerprints: Knows or finds the build of each program.
            installs: What was found on disk.
            progress: Told how far hashing is.

        Raises:
            OSError: The system does not tell its processes.
        """
        programs = _programs(host, installs)
        if programs != self._programs:
            self._programs, self._others = programs, frozenset()
        live = host.processes()
        kept = {process: self._sessions[process] for process in live if process in self._sessions}
        self._sessions = {process: _followed(host, known) for process, known in kept.items()}
        for process, image in self._new(host, live):
            known = _examined(host, fingerprints, process, image, progress)
            if known is not None:
                self._sessions[process] = known
        return tuple(known.local for known in self._sessions.values())

    def has_changed(self, host: Host) -> bool:
        """Whether a look would find other sessions, or other files under them.

        No program is read for it.

        Raises:
            OSError: The system does not tell its processes.
        """
        live = host.processes()
        if not self._sessions.keys() <= set(live) or self._new(host, live):
            return True
        return any(_followed(host, known) != known for known in self._sessions.values())

    def _new(self, host: Host, live: tuple[Process, ...]) -> list[tuple[Process, Image | None]]:
        """Sessions that are not known yet, and what they execute; None where that is denied."""
        claimed = claims.read(host)
        others = set(self._others.intersection(live))
        found = []
        for process in live:
            said = claimed.get(process.pid, ())
            if process in self._sessions or (process in others and not said):
                continue
            try:
                image = _image(host, process)
            except OSError as error:
                if error.errno in _PASSING:
                    continue
                image = None
            if self._is_session(host, process, image, said):
                found.append((process, image))
            else:
                others.add(process)
        self._others = frozenset(others)
        return found

    def _is_session(
        self, host: Host, process: Process, image: Image | None, said: tuple[Claim, ...]
    ) -> bool:
        if any(claim.holds(host, process, image) for claim in said):
            return True
        if image is None:
            return False
        if sessions.is_place(image.path) or image.path in self._programs.paths:
            return True
        return _identity(host, image.memory or image.path) in self._programs.files


def _programs(host: Host, installs: Iterable[LocalInstall]) -> _Programs:
    # What a shell starts under the name may be a launcher of many programs: its bytes decide.
    paths = {
        each.program
        for each in installs
        if each.install.method != "other" or (each.install.build and each.install.build.version)
    }
    identities = (_identity(host, path) for path in paths)
    return _Programs(frozenset(each for each in identities if each), frozenset(paths))


def _identity(host: Host, path: PurePath) -> tuple[int, int] | None:
    try:
        return host.stat(path).identity
    except OSError:
        return None


def _image(host: Host, process: Process) -> Image:
    """What a process executes: of a runtime, its script, whose bytes no system shows."""
    image = host.image(process)
    script = host.script(process) if sessions.is_runtime(image.path) else None
    if script is None:
        return image
    # Where it is gone, the path that it was told is all that is left of it.
    with suppress(OSError):
        script = host.resolve(script)
    return replace(image, path=script, memory=None)


def _examined(
    host: Host,
    fingerprints: Fingerprints,
    process: Process,
    image: Image | None,
    progress: Progress | None,
) -> _Known | None:
    if image is None:
        return _Known(_told(PurePath("?"), "present", reason=DENIED))
    if sessions.is_runtime(image.path):
        return _Known(_told(image.path, "present", reason=NO_SCRIPT))
    bytes_in = image.memory or image.path
    try:
        first = host.stat(bytes_in)
    except OSError as error:
        # Memory that cannot be reached is that of a process that ended meanwhile.
        return None if image.memory else _lost(image, error)
    if image.memory is None and max(first.mtime_ns, first.ctime_ns) > image.started_ns:
        return _Known(_told(image.path, "replaced", reason=LATER))
    reading = fingerprints.examine(host, bytes_in, progress)
    why = None if reading.build else reading.reason or STUB
    known = _Known(_told(image.path, "present", reading.build, why), image.memory, first)
    return _followed(host, known) if _still_runs(host, process) else None


def _lost(image: Image, error: OSError) -> _Known:
    if is_missing(error):
        return _Known(_told(image.path, "deleted", reason=GONE))
    return _Known(_told(image.path, "present", reason=reason_of(error)))


def _still_runs(host: Host, process: Process) -> bool:
    # Else its number may have been another one's while the file was read.
    try:
        host.image(process)
    except OSError:
        return False
    return True


def _followed(host: Host, known: _Known) -> _Known:
    """The same session with the present state of its file."""
    if known.first is None:
        return known
    session = known.local.session
    file: wire.SessionFile = "present"
    try:
        there = host.stat(known.local.program)
        here = host.stat(known.memory) if known.memory else known.first
    except OSError as error:
        file = "deleted" if is_missing(error) else session.file
    else:
        file = "present" if _alike(there, here) else "replaced"
    local = replace(known.local, session=msgspec.structs.replace(session, file=file))
    return replace(known, local=local)


def _alike(one: FileStat, other: FileStat) -> bool:
    return (one.identity, one.size, one.mtime_ns) == (other.identity, other.size, other.mtime_ns)


def _told(
    program: PurePath,
    file: wire.SessionFile,
    build: wire.Build | None = None,
    reason: str | None = None,
) -> LocalSession:
    return LocalSession(wire.Session(file, build, reason), program)
