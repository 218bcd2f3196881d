"""Looking at this user's processes for running sessions; each process is examined once.

A process is named by its number and start token. A known one costs a comparison, a known
session a few `stat` calls more: its file may be deleted or replaced under it, and it may go
over to another program. A process that is no session is looked at `LOOKS` times before it
counts as known, since a shell that was seen a moment after it began may become one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from agent import claims, executed, programs, session_traits, sessions, surfaces, wire
from agent.claims import Claim
from agent.claude_config.session_overrides import Trait
from agent.discover.census import TERMINAL, LocalInstall
from agent.executed import Executed
from agent.fingerprint import Fingerprints, Progress
from agent.host import Host, Image, Process
from agent.programs import Programs
from agent.sessions import Seen
from agent.started import Started, Unread

LOOKS = 3
"""How often a process that is no session is looked at; two of these may come in one minute."""


@dataclass(frozen=True)
class LocalSession:
    """A running session with what is told on the laptop only.

    Attributes:
        session: What may be sent.
        program: The file that it was started from.
        process: Its number and start token.
        started_at: When it was started, epoch seconds; None where the system does not tell.
        surface: From where it was started, as `agent.surfaces` names it.
        traits: Flags and variables with which it was started in a terminal.
        unread: What of these could not be seen, and why.
    """

    session: wire.Session
    program: PurePath
    process: Process
    started_at: int | None
    surface: str
    traits: tuple[Trait, ...] = ()
    unread: tuple[Unread, ...] = ()


NONE_RUN: tuple[LocalSession, ...] = ()
"""What is known before anything was looked at."""


@dataclass(frozen=True)
class _Known:
    """A process that is a session."""

    executed: Executed
    surface: str
    started: Started = field(default_factory=Started)
    is_read: bool = False

    @property
    def may_be_read(self) -> bool:
        # What could not be seen may be seen later.
        return self.surface == TERMINAL and (not self.is_read or bool(self.started.unread))


class Running:
    """The running sessions of one user, followed from look to look."""

    def __init__(self) -> None:
        """Has looked at nothing yet."""
        self._sessions: dict[Process, _Known] = {}
        self._others: Mapping[Process, int] = {}
        self._programs = Programs()

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
        known = programs.of(host, installs)
        if known != self._programs:
            self._programs, self._others = known, {}
        live, claimed = host.processes(), claims.read(host)
        self._sessions = self._followed(host, live, claimed)
        for process, said in self._new(host, live, claimed):
            found = executed.examine(host, fingerprints, process, progress)
            if found is not None:
                surface = self._surface(host, process, found, said)
                self._sessions[process] = _Known(found, surface)
        for process, seen in self._sessions.items():
            if seen.may_be_read:
                self._sessions[process] = _read(host, process, seen)
        return self.seen()

    def seen(self) -> tuple[LocalSession, ...]:
        """The sessions that ran at the last look, without a new one."""
        return tuple(_local(process, known) for process, known in self._sessions.items())

    def has_changed(self, host: Host) -> bool:
        """Whether a look would find other sessions, or other files under them.

        No program is read for it.

        Raises:
            OSError: The system does not tell its processes.
        """
        live, claimed = host.processes(), claims.read(host)
        if self._followed(host, live, claimed) != self._sessions:
            return True
        return bool(self._new(host, live, claimed))

    def _followed(
        self, host: Host, live: Iterable[Process], claimed: Mapping[int, tuple[Claim, ...]]
    ) -> dict[Process, _Known]:
        """The known sessions that go on, with the present state of their files."""
        kept = ((each, self._sessions[each]) for each in live if each in self._sessions)
        return {
            process: replace(
                known,
                executed=executed.followed(host, known.executed),
                surface=session_traits.surface(known.started)
                or _claimed_surface(host, process, claimed.get(process.pid, ()))
                or known.surface,
            )
            for process, known in kept
            if executed.goes_on(host, process, known.executed)
        }

    def _new(
        self, host: Host, live: tuple[Process, ...], claimed: Mapping[int, tuple[Claim, ...]]
    ) -> list[tuple[Process, tuple[Claim, ...]]]:
        """Sessions that are not known yet, and what is claimed of their numbers."""
        others = {each: self._others[each] for each in live if each in self._others}
        found = []
        for process in live:
            said = claimed.get(process.pid, ())
            if process in self._sessions or (others.get(process, 0) >= LOOKS and not said):
                continue
            try:
                image = executed.image_of(host, process)
            except OSError as error:
                if error.errno in executed.PASSING:
                    continue
                image = None
            if self._is_session(host, process, image, said):
                found.append((process, said))
            else:
                others[process] = others.get(process, 0) + 1
        self._others = others
        return found

    def _is_session(
        self, host: Host, process: Process, image: Image | None, said: tuple[Claim, ...]
    ) -> bool:
        if any(claim.holds(host, process, image) for claim in said):
            return True
        return image is not None and self._programs.has(host, image)

    def _surface(
        self, host: Host, process: Process, found: Executed, said: tuple[Claim, ...]
    ) -> str:
        method = self._programs.method(host, found.program, found.memory)
        by_program = surfaces.of_program(found.program, method)
        return _claimed_surface(host, process, said) or by_program


def seen_of(local: Iterable[LocalSession]) -> Iterator[Seen]:
    """What may be told of these sessions."""
    found = tuple(local)
    yield from (each.session for each in found)
    yield from session_traits.told(trait for each in found for trait in each.traits)
    yield from (session_traits.problem(each) for one in found for each in one.unread)


def _claimed_surface(host: Host, process: Process, said: tuple[Claim, ...]) -> str | None:
    # Only the registry says it, and it needs no image to be held to.
    holding = (claim for claim in said if claim.surface and claim.holds(host, process, None))
    return next((claim.surface for claim in holding), None)


def _read(host: Host, process: Process, known: _Known) -> _Known:
    is_script = known.executed.runs is not None and sessions.is_runtime(known.executed.runs)
    try:
        found = session_traits.read(host, process, is_script=is_script)
    except OSError:
        # It has ended: the next look sees.
        return known
    surface = session_traits.surface(found) or known.surface
    return replace(known, surface=surface, started=found, is_read=True)


def _local(process: Process, known: _Known) -> LocalSession:
    what = known.executed
    from_shell = known.surface == TERMINAL
    return LocalSession(
        session=what.session,
        program=what.program,
        process=process,
        started_at=what.started_at,
        surface=known.surface,
        traits=session_traits.traits(known.started) if from_shell else (),
        unread=known.started.unread if from_shell else (),
    )
