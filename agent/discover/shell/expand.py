"""The value of a word: quotes, ``~``, ``$NAME``, ``${NAME...}``, ``$(...)``. Pure.

What only a running shell could tell becomes a mark (`globs.UNKNOWN`), never a guess.
Source: POSIX.1 "Shell Command Language", section 2.6.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from agent.discover.shell.globs import (
    BLANK,
    ELSEWHERE,
    QUESTION,
    STAR,
    UNKNOWN,
    is_pattern,
    matches,
    plain,
)
from agent.discover.shell.words import bracket_end, quoted_end

VALUE_MAX_CHARS = 64 * 1024
"""Longest value of one word; a longer one is unknown."""

_TRIM_MAX_CHARS = 1024
_DEPTH_MAX = 20
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_BRACED = re.compile(
    r"([A-Za-z_]\w*|[0-9]+|[@*?$!-])(?:\[[@*]\])?(:?[-=+?]|%%?|##?|//?)?(.*)\Z", re.DOTALL
)
_WHOLE_LIST = re.compile(r"\$\{(?:@|\w+\[@\])\}\Z")
_REPLACEMENT = re.compile(r"((?:\\.|[^/\\])*)(?:/(.*))?\Z", re.DOTALL)
_UNQUOTED = {"*": STAR, "?": QUESTION}
_ESCAPED_IN_DOUBLE = '$`"\\\n'


class Scope(Protocol):
    """Where names and outputs come from."""

    def get(self, name: str) -> str | None:
        """A variable's value, None if it is unset."""
        ...

    def output(self, command: str) -> str:
        """What a command substitution would have printed, or a mark."""
        ...


def expand(word: str, scope: Scope) -> str:
    """The value of a word, with marks for its unquoted pattern characters and blanks."""
    value = _Expansion(scope, 0).run(word)
    return value if len(value) <= VALUE_MAX_CHARS else UNKNOWN


@dataclass(frozen=True)
class _Expansion:
    scope: Scope
    depth: int

    def run(self, word: str) -> str:
        if self.depth > _DEPTH_MAX:
            return UNKNOWN
        parts: list[str] = []
        at = 0
        while at < len(word):
            value, at = self._piece(word, at)
            parts.append(value)
        return "".join(parts)

    def _piece(self, word: str, at: int) -> tuple[str, int]:
        char = word[at]
        if char in "'\"\\":
            return self._quotation(word, at)
        if char == "~" and (at == 0 or word[at - 1] in ":="):
            return self._tilde(word, at)
        if char in "<>" and word.startswith("(", at + 1):
            return UNKNOWN, bracket_end(word, at + 1, 0)
        if char in "$`":
            return self._dollar(word, at, quoted=False)
        return _UNQUOTED.get(char, char), at + 1

    def _quotation(self, word: str, at: int) -> tuple[str, int]:
        end = quoted_end(word, at)
        if word[at] == "\\":
            return word[at + 1 : end].strip("\n"), end
        inner = word[at + 1 : end - 1]
        return (inner if word[at] == "'" else self._double(inner)), end

    def _tilde(self, word: str, at: int) -> tuple[str, int]:
        if at + 1 == len(word) or word[at + 1] in "/:":
            return self.scope.get("HOME") or UNKNOWN, at + 1
        # Another user's home.
        return UNKNOWN, at + 1

    def _double(self, text: str) -> str:
        parts = []
        at = 0
        while at < len(text):
            if text[at] == "\\" and text[at + 1 : at + 2] in _ESCAPED_IN_DOUBLE:
                value, at = text[at + 1 : at + 2].strip("\n"), at + 2
            elif text[at] in "$`":
                value, at = self._dollar(text, at, quoted=True)
            else:
                value, at = text[at], at + 1
            parts.append(value)
        return "".join(parts)

    def _dollar(self, text: str, at: int, *, quoted: bool) -> tuple[str, int]:
        end = quoted_end(text, at)
        inner = text[at:end]
        if text[at] == "`":
            value = self.scope.output(inner[1:-1].replace("\\`", "`"))
        elif inner.startswith("$(("):
            value = UNKNOWN
        elif inner.startswith("$("):
            value = self.scope.output(inner[2:-1])
        elif inner.startswith("${"):
            value = self._braced(inner[2:-1], quoted=quoted)
            if quoted and _WHOLE_LIST.match(inner):
                # "${list[@]}" stays a list, each item as it is.
                return value, end
        elif inner.startswith("$'"):
            return inner[2:-1], end
        elif name := _NAME.match(text, at + 1):
            value = self.scope.get(name[0]) or ""
            is_list = quoted and name[0] == "@"
            return value if is_list else self._quote(value, quoted=quoted), name.end()
        else:
            return "$", at + 1
        return self._quote(value, quoted=quoted), end

    @staticmethod
    def _quote(value: str, *, quoted: bool) -> str:
        return plain(value) if quoted else value.replace(" ", BLANK).replace("\n", BLANK)

    def _braced(self, text: str, *, quoted: bool) -> str:
        found = _BRACED.match(text)
        if not found:
            return UNKNOWN
        name, operator, rest = found.groups()
        value = self.scope.get(name)
        if not operator:
            return UNKNOWN if rest else value or ""
        if operator[-1] in "-=+?":
            return self._alternative(value, operator, rest, quoted=quoted)
        if value is None or UNKNOWN in value or ELSEWHERE in value:
            return value or ""
        return self._cut(value, operator, rest)

    def _alternative(self, value: str | None, operator: str, rest: str, *, quoted: bool) -> str:
        is_set = bool(value) if operator.startswith(":") else value is not None
        if operator[-1] == "+":
            return self._inner(rest, quoted=quoted) if is_set else ""
        return value or "" if is_set else self._inner(rest, quoted=quoted)

    def _inner(self, word: str, *, quoted: bool) -> str:
        inside = _Expansion(self.scope, self.depth + 1)
        return inside._double(word) if quoted else inside.run(word)

    def _cut(self, value: str, operator: str, rest: str) -> str:
        if len(value) > _TRIM_MAX_CHARS:
            return UNKNOWN
        if operator[0] == "/":
            return self._replace(value, operator, rest)
        pattern = self._inner(rest, quoted=False)
        cuts = range(len(value) + 1)
        # A doubled operator takes the longest match away, a single one the shortest.
        if operator[0] == "#":
            order = cuts if len(operator) == 1 else reversed(cuts)
            kept = (value[cut:] for cut in order if matches(value[:cut], pattern))
        else:
            order = reversed(cuts) if len(operator) == 1 else cuts
            kept = (value[:cut] for cut in order if matches(value[cut:], pattern))
        return next(kept, value)

    def _replace(self, value: str, operator: str, rest: str) -> str:
        found = _REPLACEMENT.match(rest)
        old = self._inner(found[1], quoted=False) if found else ""
        if not found or not old or is_pattern(old) or UNKNOWN in old:
            return UNKNOWN
        new = self._inner(found[2] or "", quoted=False)
        return value.replace(old, new, -1 if operator == "//" else 1)
