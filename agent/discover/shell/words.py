"""Shell text to tokens, for bash, zsh and their kin. Pure.

Only the boundaries of words are found here; quotes stay in them, for `expand`.
Redirections and here-documents are left out: they change no variable. Source: POSIX.1
"Shell Command Language", section 2.3 (token recognition), and bash(1) for ``[[`` and arrays.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

TEXT_MAX_CHARS = 512 * 1024
"""Longest text that is read as shell text."""


class ShellSyntaxError(ValueError):
    """The text is no shell text that this reader understands."""


@dataclass(frozen=True)
class Token:
    """A word or an operator.

    Attributes:
        kind: ``word`` or ``op``; a line's end is the operator ``;``.
        text: As written, quotes included.
    """

    kind: Literal["word", "op"]
    text: str


_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_OPERATOR = re.compile(r";;&|;;|;&|;\||&&|\|\||\|&|&[|!]|[;|&()\n]")
_REDIRECTION = re.compile(
    r"(?:\d{0,2}|\{\w+\})(?:&>>|&>|<<<|<>|>>|>\||>&|<&|>(?!\()|<(?![(<]))[ \t]*"
)
_HERE_DOCUMENT = re.compile(r"\d{0,2}<<(-?)[ \t]*(?:'([^'\n]+)'|\"([^\"\n]+)\"|\\?([^\s;|&<>()]+))")
_TEST_OPERATOR = re.compile(r"&&|\|\||[<>()|&;]")
_PLAIN = re.compile(r"[^\s'\"\\$`;|&()<>]+")
_ARRAY_START = re.compile(r"[A-Za-z_]\w*(?:\[[^]]*\])?\+?=\Z")
_CLOSING = {"(": ")", "{": "}"}
_DEPTH_MAX = 40
_ARITHMETIC_MAX_CHARS = 500
_BRACES_MAX_CHARS = 200


def tokens(text: str) -> list[Token]:
    """The tokens of a whole file.

    Raises:
        ShellSyntaxError: A quote or bracket is never closed, or the text is too long.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise ShellSyntaxError("too long")
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: list[Token] = []
        self._documents: list[tuple[str, bool]] = []
        self._in_test = False

    def run(self) -> list[Token]:
        while self._at < len(self._text):
            self._step()
        return self._found

    def _step(self) -> None:
        text, at = self._text, self._at
        if blank := _BLANK.match(text, at):
            self._at = blank.end()
        elif text[at] == "#":
            end = text.find("\n", at)
            self._at = len(text) if end < 0 else end
        elif self._in_test:
            self._test_word()
        elif document := _HERE_DOCUMENT.match(text, at):
            mark = document[2] or document[3] or document[4]
            self._documents.append((mark, bool(document[1])))
            self._at = document.end()
        elif redirection := _REDIRECTION.match(text, at):
            self._at = self._target(redirection.end())
        elif (end := _arithmetic_end(text, at)) > at:
            self._word(end)
        elif operator := _OPERATOR.match(text, at):
            self._operator(operator)
        else:
            self._word(word_end(text, at))

    def _word(self, end: int) -> None:
        word = self._text[self._at : end]
        self._found.append(Token("word", word))
        self._in_test = word == "[["
        self._at = end

    def _test_word(self) -> None:
        # Between [[ and ]] operators are arguments, and line ends are blanks.
        text, at = self._text, self._at
        if text[at] == "\n":
            self._at += 1
            return
        operator = _TEST_OPERATOR.match(text, at)
        end = operator.end() if operator else word_end(text, at)
        word = text[at:end]
        self._found.append(Token("word", word))
        self._in_test = word != "]]"
        self._at = end

    def _target(self, at: int) -> int:
        # A redirection's target is no argument.
        text = self._text
        if at < len(text) and not _OPERATOR.match(text, at):
            return word_end(text, at)
        return at

    def _operator(self, operator: re.Match[str]) -> None:
        self._at = operator.end()
        line_end = operator[0] == "\n"
        self._found.append(Token("op", ";" if line_end else operator[0]))
        if line_end:
            self._skip_documents()

    def _skip_documents(self) -> None:
        for mark, tabs in self._documents:
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = end + 1
                if (line.lstrip("\t") if tabs else line).rstrip("\r") == mark:
                    break
        self._documents.clear()


def word_end(text: str, at: int, depth: int = 0) -> int:
    """Where the word that begins at a position ends, quotes and brackets obeyed.

    Raises:
        ShellSyntaxError: A quote or bracket is never closed.
    """
    start = at
    while at < len(text):
        if plain := _PLAIN.match(text, at):
            at = plain.end()
        elif (end := quoted_end(text, at, depth)) > at:
            at = end
        elif text[at] == "(" and _opens_in_word(text, start, at):
            at = bracket_end(text, at, depth + 1)
        elif text[at] in "<>" and text.startswith("(", at + 1) and at == start:
            at = bracket_end(text, at + 1, depth + 1)
        elif text[at] == "$":
            at += 1
        else:
            break
    if at == start:
        raise ShellSyntaxError("no word")
    return at


def _opens_in_word(text: str, start: int, at: int) -> bool:
    if _ARRAY_START.match(text[start:at]):
        return True
    # A glob qualifier or pattern group; "name()" begins a function.
    return at > start and not text.startswith("()", at) and text[at - 1] in "*?+@!=/"


def _arithmetic_end(text: str, at: int) -> int:
    if not text.startswith("((", at):
        return at
    end = text.find("))", at, at + _ARITHMETIC_MAX_CHARS)
    return at if end < 0 else end + 2


def quoted_end(text: str, at: int, depth: int = 0) -> int:
    """Where a quotation, escape or ``$`` expression that begins here ends, else `at`.

    Raises:
        ShellSyntaxError: It never ends, or is nested too deep.
    """
    if depth > _DEPTH_MAX:
        raise ShellSyntaxError("nested too deep")
    start = text[at]
    if start == "\\":
        return min(at + 2, len(text))
    if start == "'":
        return _find(text, "'", at + 1) + 1
    if start == "`" or text.startswith("$'", at):
        closing = "`" if start == "`" else "'"
        return _escaped_end(text, at + 1 + (start == "$"), closing)
    if start == '"':
        return _double_end(text, at + 1, depth + 1)
    if start == "$" and text[at + 1 : at + 2] in _CLOSING:
        return bracket_end(text, at + 1, depth + 1)
    return at


def bracket_end(text: str, at: int, depth: int) -> int:
    """Where the bracket that opens here is closed, plus one.

    Raises:
        ShellSyntaxError: It is never closed.
    """
    opening = text[at]
    closing = _CLOSING[opening]
    at += 1
    while at < len(text):
        if text[at] == closing:
            return at + 1
        if text[at] == opening:
            at = bracket_end(text, at, depth + 1) if depth < _DEPTH_MAX else at + 1
        elif text[at] == "#" and opening == "(" and text[at - 1] in " \t\n":
            at = _find(text, "\n", at)
        else:
            at = max(quoted_end(text, at, depth), at + 1)
    raise ShellSyntaxError("a bracket is never closed")


def alternatives(word: str) -> Iterator[str]:
    """The words that ``{a,b}`` makes of one; the word itself where there is none.

    Source: bash(1), "Brace Expansion"; a range, such as ``{1..3}``, is left as it is.
    """
    at = 0
    while at < len(word) <= _BRACES_MAX_CHARS:
        if word[at] == "{" and (commas := _commas(word, at)):
            for start, end in pairwise((at, *commas)):
                yield from alternatives(word[:at] + word[start + 1 : end] + word[commas[-1] + 1 :])
            return
        at = max(quoted_end(word, at), at + 1)
    yield word


def _commas(word: str, at: int) -> list[int]:
    """Where the commas and the end of a brace are; nothing if it has no comma or no end."""
    found: list[int] = []
    depth = 0
    while at < len(word):
        depth += {"{": 1, "}": -1}.get(word[at], 0)
        if depth == 0:
            return [*found, at] if found else []
        if word[at] == "," and depth == 1:
            found.append(at)
        at = max(quoted_end(word, at), at + 1)
    return []


def _double_end(text: str, at: int, depth: int) -> int:
    while at < len(text):
        if text[at] == '"':
            return at + 1
        # A single quote is nothing special between double quotes.
        at = at + 1 if text[at] == "'" else max(quoted_end(text, at, depth), at + 1)
    raise ShellSyntaxError("a quote is never closed")


def _escaped_end(text: str, at: int, closing: str) -> int:
    while at < len(text):
        if text[at] == closing:
            return at + 1
        at += 2 if text[at] == "\\" else 1
    raise ShellSyntaxError("a quote is never closed")


def _find(text: str, wanted: str, at: int) -> int:
    end = text.find(wanted, at)
    if end < 0:
        raise ShellSyntaxError("a quote is never closed")
    return end
