"""What a launcher script of somebody's own starts, read as text and not run.

Users and packagers put a small shell script before the program: it sets variables, and its
last command starts one absolute path with the arguments that it was given (facts 1.1, custom
launcher; the packages of the Arch user repository and of nixpkgs are made so). A script that
does anything else starts nothing that is known. What the script adds of its own, arguments or
variables of Claude Code's, is told: the same bytes do not behave the same then. Flags and
variables that ``keys.toml`` lists as personal or cosmetic are left out of that: users have them
too.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from agent.claude_config import keys
from agent.claude_config.key import Key
from agent.discover.interface import on_host
from agent.discover.look import Look
from agent.discover.shell.expand import expand
from agent.discover.shell.globs import UNKNOWN, plain, without_marks
from agent.discover.shell.syntax import parse
from agent.discover.shell.tree import Simple
from agent.discover.shell.words import ShellSyntaxError
from agent.host import Host
from agent.sessions import is_runtime

LAUNCHER_MAX_BYTES = 16 * 1024
"""Largest launcher script that is read."""

ADDS = "the launcher of claude adds arguments, or sets variables of Claude Code"
"""The problem where the same bytes behave otherwise than without the launcher."""

PACKAGERS = frozenset(
    {
        "DEV",
        "DISABLE_AUTOUPDATER",
        "DISABLE_INSTALLATION_CHECKS",
        "DISABLE_UPDATES",
        "FORCE_AUTOUPDATE_PLUGINS",
        "USE_BUILTIN_RIPGREP",
    }
)
"""Variables that packagers' launchers set, since they update the copy themselves (facts 1.1)."""

GIVEN = '"$@"'
"""The arguments that a launcher was given, as a shell writes them."""

_HOPS_MAX = 4
_WHAT = "a launcher"
_SCRIPTS = frozenset({".js", ".mjs", ".cjs"})
_SHELL = re.compile(rb"#![ \t]*(?:/\S*/env[ \t]+)?\S*?(?<![a-z])(?:a|ba|da|k|z)?sh(?=[ \t\r\n])")
_NAME = re.compile(r"([A-Za-z_]\w*)(=|\Z)")
_OPTIONS = re.compile(r"set(?: [-+](?:[a-np-z]+|[a-np-z]*o [a-z]+))+\Z")
_SETTERS = frozenset({"export", "declare", "typeset", "readonly", "unset"})
_BEFORE = frozenset({"command", "exec", "noglob", "nocorrect"})
_GIVEN = frozenset({GIVEN, "$@", '${1+"$@"}', '"${@}"'})
# nixpkgs' older scripts declare this list, and leave it empty.
_MORE, _EMPTY = "extraFlagsArray", "()"
_EXTRA = '"${extraFlagsArray[@]}"'


@dataclass(frozen=True)
class Launched:
    """What a launcher starts.

    Attributes:
        program: The program or the script of a runtime; None where it is ``claude`` itself,
            by its bare name.
        variables: The names that it sets or removes.
        adds: As `adds` says of its arguments.
    """

    program: PurePath | None
    variables: frozenset[str] = frozenset()
    adds: bool = False

    def changes(self, allowed: frozenset[str] = frozenset()) -> bool:
        """Whether Claude Code behaves otherwise for it.

        Args:
            allowed: Variables that do not count here.
        """
        known = (keys.load().named("variable", name) for name in self.variables - allowed)
        return self.adds or any(key is not None and not _is_users(key) for key in known)


def adds(words: Sequence[str]) -> bool:
    """Whether what follows a program adds to the given arguments, or leaves them out.

    Args:
        words: As they stand in the script, the given arguments by one of their names.
    """
    own = [word for word in words if word]
    if not own or own.pop() not in _GIVEN:
        return True
    rest = iter(own)
    for word in rest:
        name, equals, _ = word.partition("=")
        key = keys.load().flag(name) if name.startswith("-") else None
        if key is None or not _is_users(key):
            return True
        if key.takes_value and not equals and next(rest, None) is None:
            return True
    return False


def behind(look: Look, launcher: PurePath) -> Launched | None:
    """What a launcher starts in the end, through other launchers; None if it is no such script."""
    found = None
    for _ in range(_HOPS_MAX):
        step = read(look, launcher)
        if step is None or step.program is None:
            break
        found = joined(found, step)
        launcher = step.program
    return found


def joined(first: Launched | None, then: Launched) -> Launched:
    """What two launchers do, of which one starts the other."""
    if first is None:
        return then
    return Launched(then.program, first.variables | then.variables, first.adds or then.adds)


def read(look: Look, launcher: PurePath) -> Launched | None:
    """What one launcher script starts; None if it is none, or does more than that."""
    stat = look.stat(launcher, _WHAT)
    if stat is None or not stat.is_file or stat.size > LAUNCHER_MAX_BYTES:
        return None
    data = look.read(launcher, _WHAT, max_bytes=LAUNCHER_MAX_BYTES)
    if data is None or not _SHELL.match(data):
        return None
    found = _script(look.host, data.decode("utf-8", "replace"))
    if found is None or found.program is None:
        return None
    return found if may_start(look, found.program) else None


def may_start(look: Look, program: PurePath) -> bool:
    """Whether what a launcher names is a program or a runtime's script, and may be opened.

    A hostile launcher could name any file of the home: what holds secrets is neither.
    """
    look.watch[program] = None
    stat = look.stat(program, _WHAT)
    return stat is not None and stat.is_file and (stat.executable or program.suffix in _SCRIPTS)


def alias(host: Host, text: str) -> Launched | None:
    """What an alias stands for; None if that is more than one program with its arguments."""
    return _script(host, f"{text} {GIVEN}")


def run_by(host: Host, words: Sequence[str]) -> tuple[PurePath | None, Sequence[str]]:
    """The program that a command's values name, the script of a runtime, and what follows it."""
    program = on_host(host, words[0])
    if program is None or not is_runtime(program):
        return program, words[1:]
    at = next((at for at, word in enumerate(words) if at and not word.startswith("-")), 0)
    return (on_host(host, words[at]) if at else None), words[at + 1 :]


class _Scope:
    """The names that a script's words may use: the home folder, and what it sets itself."""

    def __init__(self, host: Host) -> None:
        self.values = {"HOME": str(host.home)}

    def get(self, name: str) -> str:
        return self.values.get(name, UNKNOWN)

    def output(self, _command: str) -> str:
        return UNKNOWN

    def value(self, word: str) -> str:
        if word == _EXTRA and self.get(_MORE) == _EMPTY:
            return ""
        return word if word in _GIVEN else plain(expand(word, self))

    def put(self, name: str, word: str | None) -> str:
        self.values[name] = UNKNOWN if word is None else self.value(word)
        return name


def _script(host: Host, text: str) -> Launched | None:
    try:
        return _followed(host, text)
    except (ShellSyntaxError, RecursionError):
        return None


def _followed(host: Host, text: str) -> Launched | None:
    script = parse(without_marks(text))
    simple = [each for each in script.body.commands if isinstance(each, Simple)]
    if script.leftover or not simple or len(simple) != len(script.body.commands):
        return None
    scope = _Scope(host)
    names: set[str] = set()
    for command in simple[:-1]:
        if not _prepares(command):
            return None
        names.update(_set(command, scope))
    names.update(_set(Simple(simple[-1].assignments, ()), scope))
    return _started(host, [scope.value(word) for word in simple[-1].words], names)


def _prepares(command: Simple) -> bool:
    words = command.words
    return not words or words[0] in _SETTERS or bool(_OPTIONS.match(" ".join(words)))


def _set(command: Simple, scope: _Scope) -> Iterator[str]:
    for assignment in command.assignments:
        yield scope.put(assignment.name, None if assignment.appends else assignment.value)
    if command.words and command.words[0] in _SETTERS:
        for word in command.words[1:]:
            if found := _NAME.match(word):
                yield scope.put(found[1], word[found.end() :] if found[2] else None)


def _started(host: Host, words: list[str], names: set[str]) -> Launched | None:
    while words and words[0] in _BEFORE:
        words = words[3:] if words[1:2] == ["-a"] else words[1:]
    if words and PurePath(words[0]).name == "env":
        words = words[1:]
        while words and (found := _NAME.match(words[0])) and found[2]:
            names.add(found[1])
            words = words[1:]
    if not words or UNKNOWN in words[0]:
        return None
    program, rest = run_by(host, words)
    if program is None and words[0] != "claude":
        return None
    return Launched(program, frozenset(names), adds(rest))


def _is_users(key: Key) -> bool:
    # Users have these too, and they count nowhere else.
    return key.key_class in {"personal", "cosmetic"}
