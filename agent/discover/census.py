"""All installs of a machine: every method asked, one file told once, every byte known.

A method may fail alone: that is a problem with its name, and the others go on. Copies that
lead to one file are one install, whatever its names, and every surface that starts one of
them starts it. What the login shell, an editor, the desktop app or an SDK starts is
counted, all else is at rest. What a launcher script of the user's own starts is what the
shell starts. A program that the shell starts and no method knows is an install too, of the
method ``other``.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

from agent import wire
from agent.discover import launcher, methods, search_path
from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.look import Look
from agent.discover.search_path import LoginShell
from agent.fingerprint import Fingerprints, Progress, Reading, reason_of
from agent.host import Host
from agent.profile import install_order

TERMINAL = "terminal"
"""The surface of the login shell, as a terminal opens it."""

LOGIN = "login-shell"
"""The surface of a login shell outside of a terminal, where it starts another copy."""

STARTS_MAX = 8
"""Most surfaces told of one install, as `wire.Install.starts` bounds them."""

LEFT_OUT = wire.Problem("discover", "more copies are started than can be told")
"""Tells that not every counted install is in the profile."""


@dataclass(frozen=True)
class LocalInstall:
    """An install with what is told on the laptop only.

    Attributes:
        install: What may be sent.
        program: The file that runs.
        names: Other paths that lead to it.
        built: When its bytes say that they were built, ISO 8601, UTC.
    """

    install: wire.Install
    program: PurePath
    names: tuple[PurePath, ...] = ()
    built: str | None = None


@dataclass(frozen=True)
class Census:
    """What was found on a machine.

    Attributes:
        installs: At most `wire.INSTALLS_MAX`: counted first, then by method, place,
            claimed version and digest.
        more: How many did not fit, and were not examined; at rest first, and what a shell
            starts last. Where counted ones are among them, `LEFT_OUT` says so.
        problems: What could not be seen, by collector.
        watch: Files and folders whose change could change the answer.
    """

    installs: tuple[LocalInstall, ...] = ()
    more: int = 0
    problems: tuple[wire.Problem, ...] = ()
    watch: tuple[PurePath, ...] = ()


NOTHING = Census()
"""What is known before anything was looked at."""


@dataclass(frozen=True)
class _Place:
    """One file, with all that is known of its names."""

    copy: Copy
    starts: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[PurePath, ...]:
        return (self.copy.program, *self.copy.names)

    @property
    def order(self) -> tuple[bool, bool, str, str, str, str]:
        copy = self.copy
        by_shell = TERMINAL in self.starts or LOGIN in self.starts
        claimed = copy.claimed or ""
        program = str(copy.program)
        return (not by_shell, not self.starts, copy.method, copy.place, claimed, program)


def take(
    host: Host,
    fingerprints: Fingerprints,
    progress: Progress | None = None,
    *,
    environments: Iterable[PurePath] = (),
) -> Census:
    """Looks at a machine: reads files, runs nothing, changes nothing.

    Args:
        host: The machine.
        fingerprints: Knows or finds the build of each program.
        progress: Told (bytes hashed, bytes in all) of each program, now and then.
        environments: Python environments to look into beside the usual ones.
    """
    shell, shell_problems = _login_shell(host)
    site = replace(shell.site(host), environments=tuple(environments))
    found, problems = _ask(site, methods())
    places = _merged(host, [copy for each in found for copy in each.copies])
    look = Look(host)
    for surface, starts in ((TERMINAL, shell.starts), (LOGIN, shell.login)):
        if starts is not None:
            places = list(_started(look, places, surface, starts))
    problems += [wire.Problem(search_path.NAME, reason) for reason in look.problems]
    places.sort(key=lambda place: place.order)
    kept, left = places[: wire.INSTALLS_MAX], places[wire.INSTALLS_MAX :]
    problems += [LEFT_OUT] if any(place.starts for place in left) else []
    installs = [_examined(host, fingerprints, place, progress) for place in kept]
    watch = [*look.watch, *(path for each in found for path in each.watch)]
    watch += [path for place in kept for path in place.paths]
    return Census(
        installs=tuple(sorted(installs, key=lambda local: install_order(local.install))),
        more=len(left),
        problems=tuple(sorted({*shell_problems, *problems}, key=_problem_order)),
        watch=tuple(dict.fromkeys((*shell.watch, *watch))),
    )


def _problem_order(problem: wire.Problem) -> tuple[str, str]:
    return (problem.collector, problem.reason)


def _failed(collector: str, error: Exception) -> wire.Problem:
    if isinstance(error, OSError):
        return wire.Problem(collector, f"it failed: {reason_of(error)}")
    # The kind of a bug tells where to look; its text could hold a path.
    return wire.Problem(collector, f"it failed: {type(error).__name__}")


def _login_shell(host: Host) -> tuple[LoginShell, list[wire.Problem]]:
    try:
        shell = search_path.read(host)
    except Exception as error:  # noqa: BLE001 - a collector may fail alone, whatever its bug
        return LoginShell(), [_failed(search_path.NAME, error)]
    return shell, [wire.Problem(search_path.NAME, reason) for reason in shell.problems]


def _ask(site: Site, asked: Iterable[Method]) -> tuple[list[Found], list[wire.Problem]]:
    found: list[Found] = []
    problems: list[wire.Problem] = []
    for method in asked:
        try:
            found.append(method.find(site))
        except Exception as error:  # noqa: BLE001 - a collector may fail alone, whatever its bug
            problems.append(_failed(method.name, error))
        else:
            problems += [wire.Problem(method.name, reason) for reason in found[-1].problems]
    return found, problems


def _identity(host: Host, path: PurePath) -> tuple[int, int] | PurePath:
    try:
        return host.stat(path).identity
    except OSError:
        # A copy whose file cannot be reached is known by its path alone.
        return path


def _merged(host: Host, copies: Iterable[Copy]) -> list[_Place]:
    by_file: dict[tuple[int, int] | PurePath, list[Copy]] = {}
    for copy in copies:
        by_file.setdefault(_identity(host, copy.program), []).append(copy)
    return [_one(host, same) for same in by_file.values()]


def _one(host: Host, same: list[Copy]) -> _Place:
    """One file, of the method in whose place it lies; elsewhere there may be links to it."""
    first = next((copy for copy in same if _lies_there(host, copy.program)), same[0])
    names = dict.fromkeys(path for copy in same for path in (copy.program, *copy.names))
    names.pop(first.program)
    starts = dict.fromkeys(surface for copy in same for surface in copy.starts)
    return _Place(replace(first, names=tuple(names)), tuple(starts)[:STARTS_MAX])


def _lies_there(host: Host, path: PurePath) -> bool:
    try:
        return host.resolve(path) == host.resolve(path.parent) / path.name
    except OSError:
        return False


def _started(look: Look, places: list[_Place], surface: str, starts: PurePath) -> Iterator[_Place]:
    host = look.host
    chosen = _chosen(host, places, starts)
    program = starts if chosen else _launched(look, starts)
    chosen = chosen or _chosen(host, places, program)
    for place in places:
        if place is not chosen:
            yield place
        elif program == starts:
            yield _started_by(place, surface)
        else:
            yield _started_by(_named(place, starts), surface)
    if chosen is None:
        yield _Place(_unknown_copy(host, starts, program), (surface,))


def _named(place: _Place, launcher: PurePath) -> _Place:
    names = dict.fromkeys((*place.copy.names, launcher))
    return replace(place, copy=replace(place.copy, names=tuple(names)))


def _launched(look: Look, starts: PurePath) -> PurePath:
    """What a launcher script starts; itself, where it is none or cannot be followed."""
    found = launcher.behind(look, starts)
    if found is None or found.program is None:
        return starts
    if found.changes():
        look.problems[launcher.ADDS] = None
    return found.program


def _started_by(place: _Place, surface: str) -> _Place:
    # A login shell that starts what a terminal starts is no surface of its own.
    if surface == LOGIN and TERMINAL in place.starts:
        return place
    return replace(place, starts=(surface, *place.starts)[:STARTS_MAX])


def _chosen(host: Host, places: list[_Place], starts: PurePath) -> _Place | None:
    # By name first: a manager's shims are one file under many names.
    by_name = (place for place in places if starts in place.paths)
    identity = _identity(host, starts)
    by_file = (place for place in places if _identity(host, place.copy.program) == identity)
    return next(by_name, None) or next(by_file, None)


def _unknown_copy(host: Host, starts: PurePath, program: PurePath) -> Copy:
    with suppress(OSError):
        program = host.resolve(program)
    names = () if program == starts else (starts,)
    return Copy("other", "search-path", program, names=names)


def _examined(
    host: Host, fingerprints: Fingerprints, place: _Place, progress: Progress | None
) -> LocalInstall:
    copy = place.copy
    reading = Reading(reason=copy.problem)
    if copy.problem is None:
        reading = fingerprints.examine(host, copy.program, progress)
    state: wire.InstallState = "ok" if reading.build else "stub" if reading.stub else "not-examined"
    install = wire.Install(
        method=copy.method,
        place=copy.place,
        state=state,
        claimed=copy.claimed,
        build=reading.build,
        starts=tuple(sorted(place.starts)),
        reason=reading.reason,
    )
    return LocalInstall(install, copy.program, copy.names, reading.built)
