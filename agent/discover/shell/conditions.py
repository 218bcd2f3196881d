"""The answer of ``[ ... ]`` and ``[[ ... ]]``: yes, no, or not to be known. Pure.

Source: POSIX.1 ``test``, bash(1) "Conditional Expressions".
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from agent.discover.shell.expand import Scope, expand
from agent.discover.shell.globs import ELSEWHERE, UNKNOWN, matches, plain
from agent.host import FileStat

Answer = bool | None
"""None: not to be known before the shell starts."""


class Files(Protocol):
    """The files that a condition may ask about."""

    def stat(self, path: str) -> FileStat | None:
        """Facts of a file, None if it is not there."""
        ...


_FILE_TESTS: dict[str, Callable[[FileStat], bool]] = {
    "-e": lambda _: True,
    "-a": lambda _: True,
    "-r": lambda _: True,
    "-w": lambda _: True,
    "-h": lambda _: True,
    "-L": lambda _: True,
    "-O": lambda _: True,
    "-f": lambda stat: stat.is_file,
    "-d": lambda stat: stat.is_dir,
    "-s": lambda stat: stat.size > 0,
    "-x": lambda stat: stat.executable,
}
_NUMBER_TESTS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_STRING_TESTS = frozenset({"=", "==", "!=", "=~", "<", ">", "-nt", "-ot", "-ef"})
_BINARY = frozenset(_NUMBER_TESTS) | _STRING_TESTS
_UNARY = frozenset(_FILE_TESTS) | {"-n", "-z", "-v", "-t", "-o", "-p", "-S", "-b", "-c", "-g", "-u"}
_NUMBER_DIGITS_MAX = 18


def either(answers: Sequence[Answer]) -> Answer:
    """Yes if any is yes, no if all are no."""
    if any(answers):
        return True
    return None if None in answers else False


def both(answers: Sequence[Answer]) -> Answer:
    """No if any is no, yes if all are yes."""
    if False in answers:
        return False
    return None if None in answers else True


def answer(words: Sequence[str], scope: Scope, files: Files) -> Answer:
    """The answer of a condition.

    Args:
        words: What stands between the brackets, as written.
        scope: For the values of the words.
        files: For ``-d`` and the like.
    """
    condition = _Condition(words, scope, files)
    found = condition.any_of()
    return found if condition.is_done() else None


class _Condition:
    def __init__(self, words: Sequence[str], scope: Scope, files: Files) -> None:
        self._words = list(words)
        self._scope = scope
        self._files = files

    def is_done(self) -> bool:
        return not self._words

    def any_of(self) -> Answer:
        answers = [self._all_of()]
        while self._words and self._words[0] in {"||", "-o"}:
            self._words.pop(0)
            answers.append(self._all_of())
        return either(answers)

    def _all_of(self) -> Answer:
        answers = [self._one()]
        while self._words and self._words[0] in {"&&", "-a"}:
            self._words.pop(0)
            answers.append(self._one())
        return both(answers)

    def _one(self) -> Answer:
        turned = False
        while self._words and self._words[0] == "!":
            self._words.pop(0)
            turned = not turned
        found = self._group() if self._words and self._words[0] == "(" else self._primary()
        return (not found) if turned and found is not None else found

    def _group(self) -> Answer:
        self._words.pop(0)
        inside = _Condition(self._until_closed(), self._scope, self._files)
        found = inside.any_of()
        return found if inside.is_done() else None

    def _until_closed(self) -> list[str]:
        taken = []
        depth = 1
        while self._words:
            word = self._words.pop(0)
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0:
                break
            taken.append(word)
        return taken

    def _primary(self) -> Answer:
        words = self._words
        if len(words) >= 3 and words[1] in _BINARY:  # noqa: PLR2004 - left, operator, right
            left, operator, right = words.pop(0), words.pop(0), words.pop(0)
            return self._binary(left, operator, right)
        if len(words) >= 2 and words[0] in _UNARY:  # noqa: PLR2004 - operator, operand
            operator = words.pop(0)
            return self._unary(operator, words.pop(0))
        if not words:
            return False
        value = expand(words.pop(0), self._scope)
        return None if _is_unknown(value) else bool(value)

    def _unary(self, operator: str, word: str) -> Answer:
        value = plain(expand(word, self._scope))
        if operator == "-v":
            return self._scope.get(value) is not None
        if _is_unknown(value):
            return None
        if operator in {"-n", "-z"}:
            return bool(value) == (operator == "-n")
        if operator == "-t":
            return True
        if (check := _FILE_TESTS.get(operator)) is None:
            return None
        stat = self._files.stat(value)
        return stat is not None and check(stat)

    def _binary(self, left: str, operator: str, right: str) -> Answer:
        value, wanted = plain(expand(left, self._scope)), expand(right, self._scope)
        if _is_unknown(value) or _is_unknown(wanted):
            return None
        if operator in _NUMBER_TESTS:
            return _numbers(operator, value, plain(wanted))
        if operator in {"=", "==", "!="}:
            return matches(value, wanted) == (operator != "!=")
        return None


def _is_unknown(value: str) -> bool:
    return UNKNOWN in value or ELSEWHERE in value


def _numbers(operator: str, left: str, right: str) -> Answer:
    if max(len(left), len(right)) > _NUMBER_DIGITS_MAX:
        return None
    try:
        return _NUMBER_TESTS[operator](int(left), int(right))
    except ValueError:
        return None
