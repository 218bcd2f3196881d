"""What a shell knows while its start files are followed: variables, names, files seen."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath

from agent.discover.interface import Site, on_host
from agent.discover.look import Look
from agent.discover.shell import known
from agent.discover.shell.expand import expand
from agent.discover.shell.exports import Exports
from agent.discover.shell.globs import BLANK, UNKNOWN, is_pattern, matches, plain
from agent.discover.shell.tree import Assignment, Command
from agent.discover.shell.words import ShellSyntaxError, alternatives, tokens
from agent.host import FileStat, Host

FIELDS_MAX = 1000
"""Most words that one word becomes."""

_TIED = {"path": "PATH"}
_ASKS_WHERE = frozenset({"command", "which", "type", "whence"})


class State:
    """A shell's state; it serves `expand` as its scope and `conditions` as its files.

    Attributes:
        host: The host.
        look: For looking at files, and noting what to watch.
        shell: Base name of the shell.
        variables: By name.
        functions: By name.
        aliases: By name.
        arguments: ``$1`` and so on, of the function that is followed.
        login_path: PATH as a login shell has it, where a terminal's shell then reads files
            of its own; None where the two are one.
        followed: The start files that were asked for, in order; some may be missing.
        exports: Which variables programs are given.
        is_unsure: Whether only an unanswered condition led to what is followed now.
    """

    def __init__(self, host: Host, look: Look, shell: str, variables: dict[str, str]) -> None:
        self.host = host
        self.look = look
        self.shell = shell
        self.variables = variables
        self.functions: dict[str, Command] = {}
        self.aliases: dict[str, str] = {}
        self.arguments: list[str] = []
        self.login_path: str | None = None
        self.followed: dict[PurePath, None] = {}
        self.exports = Exports()
        self.is_unsure = False
        self._missed = False

    def get(self, name: str) -> str | None:
        """A variable's value; as `agent.discover.shell.expand.Scope.get`."""
        if name.isdigit():
            at = int(name) - 1 if len(name) < len(str(FIELDS_MAX)) else -1
            return self.arguments[at] if 0 <= at < len(self.arguments) else None
        if name in {"@", "*"}:
            return BLANK.join(self.arguments)
        if name == "#":
            return str(len(self.arguments))
        value = self.variables.get(self._tied(name))
        self._missed = self._missed or value is None or name in self.exports.partial
        return value

    def output(self, command: str) -> str:
        """A command's output; as `agent.discover.shell.expand.Scope.output`."""
        try:
            found = tokens(command)
        except ShellSyntaxError:
            return UNKNOWN
        words = [token.text for token in found if token.kind == "word"]
        if not words or any(token.kind == "op" and token.text != ";" for token in found):
            return UNKNOWN
        values = [plain(expand(word, self)) for word in words]
        if values[0] in _ASKS_WHERE and len(values) > 1:
            return next((str(path) for path in self.programs(values[-1])), "")
        return known.output(self.site(), self.look, values)

    def stat(self, path: str) -> FileStat | None:
        """Facts of a file; as `agent.discover.shell.conditions.Files.stat`."""
        found = on_host(self.host, path)
        return None if found is None else self.look.stat(found, "a file that a start file asks for")

    def assign(self, assignment: Assignment) -> str:
        """Sets a variable, and returns its value."""
        name = self._tied(assignment.name)
        is_path = name == "PATH"
        self._missed = False
        if assignment.value.startswith("("):
            joint = ":" if is_path else BLANK
            value = joint.join(self._array(assignment.value))
        else:
            value = plain(expand(assignment.value, self))
            joint = ":" if assignment.name in _TIED and is_path else ""
        if assignment.appends and (old := self.variables.get(name)):
            value = f"{old}{joint}{value}"
        # What replaces a value under an unanswered condition leaves two that it may have.
        is_whole = not self._missed and not (self.is_unsure and name in self.variables)
        self.variables[name] = value
        self.exports.assigned(name, is_whole=is_whole)
        return value

    def put(self, name: str, words: Sequence[str]) -> None:
        """Sets a variable to what some words become, colons between them."""
        self._missed = False
        self.variables[name] = ":".join(":".join(self.fields(word)) for word in words)
        self.exports.assigned(name, is_whole=not self._missed)

    def unknown_in_front(self) -> None:
        """Notes that something unknown may now come first on PATH."""
        self.variables["PATH"] = f"{UNKNOWN}:{self.variables.get('PATH', '')}"

    def site(self) -> Site:
        """The host with the variables as they are now."""
        return Site(self.host, variables=self.variables)

    def programs(self, name: str) -> Iterator[PurePath]:
        """The programs of a name on the PATH of this point."""
        if not name or "/" in name or UNKNOWN in name:
            return iter(())
        folders = self.variables.get("PATH", "").split(":")
        entries = (on_host(self.host, folder) for folder in folders)
        return self.host.walk_path(tuple(entry for entry in entries if entry is not None), name)

    def fields(self, word: str) -> list[str]:
        """What one word becomes: braces and unquoted blanks split it, files fill patterns."""
        found: list[str] = []
        for each in islice(alternatives(word), FIELDS_MAX):
            for value in expand(each, self).split(BLANK):
                found += self._files(value) if is_pattern(value) else [value] if value else []
        return found[:FIELDS_MAX]

    def _tied(self, name: str) -> str:
        return _TIED.get(name, name) if self.shell == "zsh" else name

    def _array(self, word: str) -> Iterator[str]:
        try:
            found = tokens(word[1:-1])
        except ShellSyntaxError:
            yield UNKNOWN
            return
        for token in found:
            if token.kind == "word":
                yield from self.fields(token.text)

    def _files(self, pattern: str) -> Sequence[str]:
        # A zsh qualifier, such as (N), chooses among what the pattern finds.
        pattern = re.sub(r"\([^()/]*\)\Z", "", pattern)
        if not pattern.startswith("/") or UNKNOWN in pattern:
            return [plain(pattern)]
        found = [""]
        for part in pattern.split("/")[1:]:
            found = [f"{folder}/{name}" for folder in found for name in self._names(folder, part)]
            found = found[:FIELDS_MAX]
        return [path for path in found if self.stat(path)]

    def _names(self, folder: str, part: str) -> Sequence[str]:
        if not is_pattern(part):
            return [part]
        place = on_host(self.host, folder or "/")
        names = self.look.names(place, "a folder of start files") if place is not None else ()
        return [name for name in names if matches(name, part) and not name.startswith(".")]
