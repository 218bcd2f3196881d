"""Following a start file's commands, in order, without running any program.

Only what bears on variables and on the name ``claude`` is followed: assignments, conditions that
files and variables answer, cases, loops over words, functions, sourced files, and the
output of programs whose answer is known. What stands behind a condition that cannot be
answered is followed, on either side of it, but for a ``return``. Where that changes which
``claude`` comes first, and where shell text is computed by a program that is not known, an
unknown folder is put in front of PATH, so that what is found behind it is not claimed to be
what starts.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from agent.discover.shell import commands
from agent.discover.shell.conditions import Answer, both, either
from agent.discover.shell.expand import expand
from agent.discover.shell.globs import ELSEWHERE, UNKNOWN, matches, plain, without_marks
from agent.discover.shell.state import State
from agent.discover.shell.syntax import parse
from agent.discover.shell.tree import (
    AndOr,
    Apart,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Not,
    Simple,
)

FILE_MAX_BYTES = 512 * 1024
"""Largest start file that is read."""

FILES_MAX = 200
"""Most start files that are followed."""

STEPS_MAX = 50_000
"""Most commands that are followed."""

_DEPTH_MAX = 120
_SETS_PATH = re.compile(r"\b(?:PATH|path)\+?=|add_path|path_?(?:add|append|prepend|munge)")


class _TooLong(Exception):  # noqa: N818 - it ends the following, it is no error of anyone's
    pass


class _Return(Exception):  # noqa: N818 - it is how `return` leaves a file
    pass


class Runner:
    """Follows files and texts on one `State`.

    Attributes:
        state: What the shell knows so far.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._read: set[PurePath] = set()
        self._steps = 0
        self._depth = 0

    def file(self, path: PurePath) -> None:
        """Follows one start file to its end; once, and only if it is there."""
        try:
            self.source(path)
        except (_TooLong, RecursionError):
            # Words nested in words count no steps, but they end here too.
            self.state.look.problems["the shell's start files are too long to follow"] = None
            self.state.unknown_in_front()

    def source(self, path: PurePath) -> Answer:
        """Follows a file that another one sources."""
        if path in self._read:
            return True
        if len(self._read) >= FILES_MAX:
            raise _TooLong
        self._read.add(path)
        self.state.followed[path] = None
        look = self.state.look
        known_problems = len(look.problems)
        data = look.read(path, "a start file of the shell", max_bytes=FILE_MAX_BYTES)
        if data is None:
            if len(look.problems) > known_problems:
                self.state.unknown_in_front()
            return False
        outer, self.state.exports.file = self.state.exports.file, path
        try:
            return self.text(without_marks(data.decode("utf-8", "replace")))
        finally:
            self.state.exports.file = outer

    def inside(self) -> None:
        """Begins another shell inside this one: it inherits variables, and reads files anew."""
        self._read.clear()
        self.state.functions.clear()
        self.state.aliases.clear()
        self.state.login_path = self.state.variables.get("PATH", "")

    def text(self, text: str) -> Answer:
        """Follows a text; a ``return`` ends it."""
        script = parse(text)
        try:
            found = self._follow(script.body)
        except _Return:
            found = True
        if any(_SETS_PATH.search(line) for line in script.leftover):
            self.state.unknown_in_front()
        return found

    def call(self, name: str, arguments: Sequence[str]) -> Answer:
        """Follows a function of the start files."""
        outer = self.state.arguments
        self.state.arguments = list(arguments)
        try:
            return self._follow(self.state.functions[name])
        except _Return:
            return True
        finally:
            self.state.arguments = outer

    def leave(self) -> Answer:
        """Obeys a ``return``, unless only an unanswered condition led to it."""
        if not self.state.is_unsure:
            raise _Return
        return None

    def _follow(self, command: Command) -> Answer:
        self._steps += 1
        if self._steps > STEPS_MAX or self._depth > _DEPTH_MAX:
            raise _TooLong
        self._depth += 1
        try:
            return _FOLLOW[type(command)](self, command)
        finally:
            self._depth -= 1

    @contextmanager
    def _supposing(self, found: Answer) -> Iterator[None]:
        if found is not None:
            yield
            return
        starts = self._starts()
        outer, self.state.is_unsure = self.state.is_unsure, True
        try:
            yield
        finally:
            self.state.is_unsure = outer
            if self._starts() != starts:
                self.state.unknown_in_front()

    def _starts(self) -> PurePath | None:
        return next(self.state.programs("claude"), None)

    def _simple(self, command: Simple) -> Answer:
        if command.words:
            return commands.follow(self, command)
        values = [self.state.assign(assignment) for assignment in command.assignments]
        return None if any(UNKNOWN in value for value in values) else True

    def _and_or(self, command: AndOr) -> Answer:
        found = self._follow(command.first)
        for operator, following in command.rest:
            if found is None:
                with self._supposing(None):
                    answer = self._follow(following)
                found = (both if operator == "&&" else either)((None, answer))
            elif found == (operator == "&&"):
                found = self._follow(following)
        return found

    def _not(self, command: Not) -> Answer:
        found = self._follow(command.command)
        return None if found is None else not found

    def _apart(self, command: Apart) -> Answer:
        del command  # another process's variables are its own
        return None

    def _group(self, command: Group) -> Answer:
        found: Answer = True
        for each in command.commands:
            found = self._follow(each)
        return found

    def _if(self, command: If) -> Answer:
        return self._branches(command.branches, command.otherwise)

    def _branches(self, branches: Sequence[tuple[Group, Group]], otherwise: Group | None) -> Answer:
        if not branches:
            return self._follow(otherwise) if otherwise else True
        condition, body = branches[0]
        found = self._follow(condition)
        if found is True:
            return self._follow(body)
        with self._supposing(found):
            if found is None:
                self._follow(body)
            answer = self._branches(branches[1:], otherwise)
        return None if found is None else answer

    def _for(self, command: For) -> Answer:
        for word in command.words or ('"$@"',):
            for value in self.state.fields(word):
                self.state.variables[command.name] = value
                self._follow(command.body)
        return True

    def _loop(self, command: Loop) -> Answer:
        with self._supposing(None):
            return self._follow(command.body)

    def _case(self, command: Case) -> Answer:
        value = plain(expand(command.word, self.state))
        if value in {UNKNOWN, ELSEWHERE}:
            with self._supposing(None):
                for _, body in command.arms:
                    self._follow(body)
            return None
        for patterns, body in command.arms:
            if any(matches(value, expand(pattern, self.state)) for pattern in patterns):
                found = None if UNKNOWN in value or ELSEWHERE in value else True
                with self._supposing(found):
                    return self._follow(body)
        return True

    def _function(self, command: Function) -> Answer:
        self.state.functions[command.name] = command.body
        return True

    FOLLOW = (_simple, _and_or, _not, _apart, _group, _if, _for, _loop, _case, _function)


_KINDS = (Simple, AndOr, Not, Apart, Group, If, For, Loop, Case, Function)
_FOLLOW: dict[type, Callable[[Runner, Any], Answer]] = dict(zip(_KINDS, Runner.FOLLOW, strict=True))
