"""Which ``claude`` the user's login shell starts, without starting it.

The shell's start files are read as text (`agent.discover.shell`); the folders of the PATH
that they make are then walked as the shell would. A part of PATH that only a running shell
could compute makes the answer uncertain if it stands before the program that was found, and
is told as a problem then. An alias to one absolute path, as the legacy installer wrote it
(facts 1.1), or to ``claude`` itself is followed, and what it adds is told; any other alias or
function of that name is a problem. What a launcher script starts, the census follows.
On Windows there are no start files: PATH is the environment's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from agent.discover import launcher
from agent.discover.interface import Site, on_host
from agent.discover.look import Look
from agent.discover.node.defaults import behind_shim
from agent.discover.shell.globs import ELSEWHERE, UNKNOWN
from agent.discover.shell.start_files import follow
from agent.discover.shell.state import State
from agent.host import Host

NAME = "search_path"
"""The collector's name, as problems tell it."""

PROGRAM = "claude"

COMPUTED = "a part of PATH is computed when the shell starts"
REDEFINED = "an alias or function of the shell, named claude, decides what starts"
ALIAS_ADDS = "an alias of the shell adds arguments to claude, or sets variables for it"
SEVERAL = "a version manager chooses which claude starts"

_ENTRIES_MAX = 500


@dataclass(frozen=True)
class LoginShell:
    """What a fresh login shell would know.

    Attributes:
        path: The folders of its search path, in order.
        variables: What its start files set.
        starts: The program that ``claude`` starts in a terminal, as found, links not
            followed; None if there is none, or none that can be told.
        login: What it starts outside of a terminal, over a remote connection for instance,
            where that is another program; None where it is not.
        problems: Why `starts` may not be the whole truth, without paths.
        watch: Files and folders whose change could change the answer.
    """

    path: tuple[PurePath, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    starts: PurePath | None = None
    login: PurePath | None = None
    problems: tuple[str, ...] = ()
    watch: tuple[PurePath, ...] = ()

    def site(self, host: Host) -> Site:
        """The host as its methods are asked about it."""
        return Site(host, self.path, {**host.environment, **self.variables})


def read(host: Host) -> LoginShell:
    """What the login shell of a host's user would start; executes nothing."""
    look = Look(host)
    if host.system == "win32":
        entries = host.environment.get("PATH", host.environment.get("Path", "")).split(";")
        return _answer(look, entries, State(host, look, host.login_shell, {}))
    state = follow(host, look)
    return _answer(look, state.variables.get("PATH", "").split(":"), state)


def _answer(look: Look, entries: Sequence[str], state: State) -> LoginShell:
    places = _places(look.host, entries)
    found, is_certain = _first(look, places)
    starts = _aliased(look, state, _behind(look, found))
    if not is_certain and not (starts and starts != found):
        look.problems[COMPUTED] = None
    return LoginShell(
        path=tuple(place for place in places if place is not None),
        variables=state.variables,
        starts=starts,
        login=_login(look, state, found),
        problems=tuple(look.problems),
        watch=tuple(look.watch),
    )


_NOWHERE = PurePath()


def _places(host: Host, entries: Sequence[str]) -> list[PurePath | None]:
    places = (_place(host, entry) for entry in entries[:_ENTRIES_MAX] if entry)
    return [place for place in places if place is not _NOWHERE]


def _place(host: Host, entry: str) -> PurePath | None:
    """A folder of PATH; None if it is computed, `_NOWHERE` if Claude Code is not there."""
    if ELSEWHERE in entry:
        return _NOWHERE
    if UNKNOWN in entry:
        return None
    # A relative entry depends on where the user is: it is no place of an install.
    return on_host(host, entry.strip('"')) or _NOWHERE


def _first(look: Look, places: Sequence[PurePath | None]) -> tuple[PurePath | None, bool]:
    """The first program on PATH, and whether nothing unknown can stand before it."""
    is_certain = True
    names = ("claude.exe", "claude.cmd") if look.host.system == "win32" else (PROGRAM,)
    for place in places:
        if place is None:
            is_certain = False
            continue
        look.watch.update(dict.fromkeys(place / name for name in names))
        found = next(look.host.walk_path((place,), PROGRAM), None)
        if found is not None:
            return found, is_certain
    return None, is_certain


def _login(look: Look, state: State, found: PurePath | None) -> PurePath | None:
    if state.login_path is None:
        return None
    login, _ = _first(look, _places(look.host, state.login_path.split(":")))
    return _behind(look, login) if login != found else None


def _behind(look: Look, found: PurePath | None) -> PurePath | None:
    programs = behind_shim(look.host, found) if found is not None else ()
    if len(programs) > 1:
        look.problems[SEVERAL] = None
        return None
    return programs[0] if programs else found


def _aliased(look: Look, state: State, found: PurePath | None) -> PurePath | None:
    if PROGRAM in state.functions:
        look.problems[REDEFINED] = None
        return found
    alias = state.aliases.get(PROGRAM, PROGRAM).strip()
    if alias == PROGRAM:
        return found
    launched = launcher.alias(look.host, alias)
    if launched is None or (launched.program and not _is_program(look, launched.program)):
        look.problems[REDEFINED] = None
        return found
    starts = launched.program or found
    if starts and launched.changes():
        look.problems[ALIAS_ADDS] = None
    return starts


def _is_program(look: Look, path: PurePath) -> bool:
    look.watch[path] = None
    stat = look.stat(path, "the program of an alias")
    return stat is not None and stat.is_file and stat.executable
