"""What fish's start files make of PATH: the one shell with a language of its own.

Its files set variables by a few commands, read here line by line; conditions are taken as true,
and functions are not entered. Sources: fish-doc(1) ``set``, ``fish_add_path``,
"Configuration files", and the format of ``fish_variables``, where ``set -U`` is kept.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import ClassVar

from agent.discover.interface import on_host
from agent.discover.shell.expand import expand
from agent.discover.shell.globs import ELSEWHERE, UNKNOWN, plain, without_marks
from agent.discover.shell.run import FILE_MAX_BYTES, Runner
from agent.discover.shell.tree import Group
from agent.discover.shell.words import ShellSyntaxError, tokens

FILES_MAX = 100
"""Most files that are read."""

_UNIVERSAL = re.compile(r"^SETUVAR ((?:--\w+ ){0,4})(\w+):(.*)$", re.MULTILINE)
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_SEPARATOR = "\x1e"
_OUTPUT = re.compile(r"(?<!\$)\(")
_SETS_PATH = re.compile(r"PATH|fish_add_path|fish_user_paths")
_BLOCKS = frozenset({"function", "if", "for", "while", "switch", "begin"})
_BEFORE = frozenset({"and", "or", "not", "if", "else", "begin", "command", "builtin", "while"})
_NOTHING = Group(())


def follow(runner: Runner) -> None:
    """Follows fish's start files on a runner's state."""
    _Fish(runner).run()


class _Fish:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._state = runner.state
        self._read: set[PurePath] = set()

    def run(self) -> None:
        state = self._state
        own = state.site().folder("XDG_CONFIG_HOME", state.host.home / ".config") / "fish"
        system = state.host.system_file("/etc/fish")
        self._universal(own / "fish_variables")
        for folder in (system / "conf.d", own / "conf.d"):
            for name in state.look.names(folder, "fish's start files"):
                if name.endswith(".fish"):
                    self._file(folder / name)
        self._file(system / "config.fish")
        self._file(own / "config.fish")
        if state.look.stat(own / "functions" / "claude.fish", "fish's functions"):
            state.functions["claude"] = _NOTHING
        # fish keeps fish_user_paths before everything else on PATH.
        first = state.variables.get("fish_user_paths", "")
        state.variables["PATH"] = ":".join(filter(None, (first, state.variables["PATH"])))

    def _universal(self, file: PurePath) -> None:
        self._state.followed[file] = None
        data = self._state.look.read(file, "fish's variables", max_bytes=FILE_MAX_BYTES)
        self._state.exports.file = file
        for options, name, value in _UNIVERSAL.findall((data or b"").decode("utf-8", "replace")):
            text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value)
            self._state.variables[name] = without_marks(text.replace(_SEPARATOR, ":"))
            if "--export" in options:
                self._state.exports.hand_on(name)

    def _file(self, file: PurePath) -> None:
        if file in self._read or len(self._read) >= FILES_MAX:
            return
        self._read.add(file)
        self._state.followed[file] = None
        data = self._state.look.read(file, "a start file of the shell", max_bytes=FILE_MAX_BYTES)
        outer, self._state.exports.file = self._state.exports.file, file
        inside = 0
        for line in without_marks((data or b"").decode("utf-8", "replace")).splitlines():
            inside = self._line(line, inside)
        self._state.exports.file = outer

    def _line(self, line: str, inside: int) -> int:
        """Follows a line; returns how many blocks of a function are still open."""
        try:
            commands = list(_commands(_OUTPUT.sub("$(", line)))
        except ShellSyntaxError:
            if _SETS_PATH.search(line):
                self._state.unknown_in_front()
            return inside
        for words, is_sourced in commands:
            inside = self._command(words, inside, is_sourced=is_sourced)
        return inside

    def _command(self, words: list[str], inside: int, *, is_sourced: bool) -> int:
        if inside:
            return inside + (words[0] in _BLOCKS) - (words[0] == "end")
        if words[0] == "function":
            self._state.functions[words[1] if len(words) > 1 else ""] = _NOTHING
            return 1
        if is_sourced:
            self._text(self._state.output(" ".join(words)))
            return 0
        while len(words) > 1 and words[0] in _BEFORE:
            words = words[1:]
        if (row := self.TABLE.get(words[0])) is not None:
            row(self, words[1:])
        return 0

    def _text(self, text: str) -> None:
        if UNKNOWN in text:
            self._state.unknown_in_front()
        else:
            # What `known` tells is POSIX text, whatever shell asks.
            self._runner.text(text.replace(ELSEWHERE, ""))

    def _value(self, words: Sequence[str]) -> str:
        return ":".join(":".join(self._state.fields(word)) for word in words)

    def _put(self, name: str, value: str, *, first: bool) -> None:
        old = self._state.variables.get(name, "")
        parts = (value, old) if first else (old, value)
        self._state.variables[name] = ":".join(filter(None, parts))

    def _set(self, words: Sequence[str]) -> None:
        flags, rest = _flags(words)
        if not rest:
            return
        name = rest[0]
        if flags & {"e", "erase"}:
            self._state.variables.pop(name, None)
            self._state.variables.setdefault("PATH", "")
            self._state.exports.withdraw(name)
        elif flags & {"p", "prepend", "a", "append"}:
            self._put(name, self._value(rest[1:]), first=bool(flags & {"p", "prepend"}))
        elif not flags & {"q", "query"}:
            self._state.put(name, rest[1:])
        if flags & {"x", "export"}:
            self._state.exports.hand_on(name)
        elif flags & {"u", "unexport"}:
            self._state.exports.withdraw(name)

    def _export(self, words: Sequence[str]) -> None:
        for word in words:
            name, equals, value = word.partition("=")
            if equals:
                self._state.put(name, [value])
            self._state.exports.hand_on(name)

    def _add_path(self, words: Sequence[str]) -> None:
        flags, folders = _flags(words)
        name = "PATH" if flags & {"P", "path"} else "fish_user_paths"
        self._put(name, self._value(folders), first=not flags & {"a", "append"})

    def _source(self, words: Sequence[str]) -> None:
        value = plain(expand(words[0], self._state)) if words else ""
        path = on_host(self._state.host, value)
        if UNKNOWN in value:
            self._state.unknown_in_front()
        elif path is not None and posixpath.splitext(value)[1] == ".fish":
            self._file(path)

    def _eval(self, words: Sequence[str]) -> None:
        self._text(" ".join(plain(expand(word, self._state)) for word in words))

    def _alias(self, words: Sequence[str]) -> None:
        values = [plain(expand(word, self._state)) for word in words if not word.startswith("-")]
        name, equals, value = " ".join(values).partition("=")
        if not equals:
            name, _, value = " ".join(values).partition(" ")
        self._state.aliases[name] = value

    TABLE: ClassVar[dict[str, Callable[["_Fish", Sequence[str]], None]]] = {
        "alias": _alias,
        "eval": _eval,
        "export": _export,
        "fish_add_path": _add_path,
        "set": _set,
        "source": _source,
        ".": _source,
    }


def _flags(words: Sequence[str]) -> tuple[set[str], list[str]]:
    flags: set[str] = set()
    rest: list[str] = []
    for word in words:
        if word.startswith("--"):
            flags.add(word[2:])
        elif word.startswith("-") and not rest:
            flags |= set(word[1:])
        else:
            rest.append(word)
    return flags, rest


def _commands(line: str) -> Iterator[tuple[list[str], bool]]:
    """The commands of a line, and of each whether its output is sourced."""
    words: list[str] = []
    found = [*tokens(line), None]
    for at, token in enumerate(found):
        if token is not None and token.kind == "word":
            words.append(token.text)
        elif words:
            following = found[at + 1] if token is not None else None
            is_piped = token is not None and token.text == "|"
            yield words, is_piped and following is not None and following.text == "source"
            words = []
