"""On which line each key of a TOML file stands. Pure.

`tomllib` reads values and tells no places; this walks over the same text and tells places and
reads no values. It takes somewhat more than TOML 1.0 allows, so that it never stops before
`tomllib` would: what it cannot follow, `tomllib` refuses. It goes first, since it also holds
the bounds that make any text safe to read: without them a deep nest of brackets or one endless
number ends in another error than that of a file that cannot be read.
"""

import bisect
import contextlib
import re
import tomllib
from collections.abc import Mapping

Place = tuple[str | int, ...]
"""The way to a value: names of keys, and positions in arrays."""

DEPTH_MAX = 8
"""Deepest nesting of tables and arrays: the longest `Place`."""

NAME_MAX_CHARS = 128
"""Longest name of a key, in characters."""

SCALAR_MAX_CHARS = 64
"""Longest value without quotes, in characters: no number or date needs more."""

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_NAME = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_SCALAR = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")  # a date may have a space in it
_STRINGS = (
    # Up to two quotes of the content may stand before the closing three.
    re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


class UnboundedError(ValueError):
    """Something is longer or deeper than any file needs.

    Attributes:
        line: Where, counted from 1.
        place: The way to it, as far as it was followed.
    """

    def __init__(self, message: str, line: int, place: Place) -> None:
        super().__init__(message)
        self.line = line
        self.place = place


def lines_of(text: str) -> Mapping[Place, int]:
    """The line, counted from 1, of every key and array element: where it is first named.

    Args:
        text: A TOML document; of one that `tomllib` refuses, the part before the mistake.

    Raises:
        UnboundedError: It is nested deeper than `DEPTH_MAX`, or a name or number is too long.
    """
    walk = _Walk(text)
    with contextlib.suppress(_LostError):  # tomllib says what is wrong there
        walk.document()
    return walk.lines


class _LostError(Exception):
    """What follows is no TOML."""


class _Walk:
    """One walk over a document."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._elements: dict[Place, int] = {}  # of arrays of tables

    def document(self) -> None:
        """Walks to the end."""
        table: Place = ()
        while True:
            self._skip(_GAP)
            if self._at == len(self._text):
                return
            if self._takes("[["):
                table = self._next_table()
            elif self._takes("["):
                table = self._table(self._names())
                self._expect("]")
            else:
                self._pair(table)

    def _next_table(self) -> Place:
        line, names = self._line(), self._names()
        self._expect("]]")
        place = (*self._table(names[:-1]), names[-1])
        number = self._elements.get(place, 0)
        self._elements[place] = number + 1
        self._mark(place, line)
        return self._mark((*place, number), line)

    def _table(self, names: Place) -> Place:
        """The place of a table that a header names: of an array of tables, the last one."""
        place: Place = ()
        for name in names:
            place = self._mark((*place, name), self._line())
            if place in self._elements:
                place = (*place, self._elements[place] - 1)
        return place

    def _pair(self, table: Place) -> None:
        line, place = self._line(), table
        for name in self._names():
            place = self._mark((*place, name), line)
        self._expect("=")
        self._skip(_BLANK)
        self._value(place)

    def _value(self, place: Place) -> None:
        if self._takes("["):
            self._array(place)
        elif self._takes("{"):
            self._inline_table(place)
        elif not any(self._matched(each) for each in _STRINGS):
            scalar = self._matched(_SCALAR)
            if scalar is None:
                raise _LostError
            if len(scalar) > SCALAR_MAX_CHARS:
                raise self._unbounded(f"is longer than {SCALAR_MAX_CHARS} characters", place)

    def _array(self, place: Place) -> None:
        number = 0
        self._skip(_GAP)
        while not self._takes("]"):
            self._value(self._mark((*place, number), self._line()))
            self._end_of_item("]")
            number += 1

    def _inline_table(self, place: Place) -> None:
        self._skip(_GAP)
        while not self._takes("}"):
            self._pair(place)
            self._end_of_item("}")

    def _end_of_item(self, closing: str) -> None:
        self._skip(_GAP)
        if not self._takes(",") and not self._text.startswith(closing, self._at):
            raise _LostError
        self._skip(_GAP)

    def _names(self) -> Place:
        """A dotted key."""
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            written = self._matched(_NAME)
            if written is None:
                raise _LostError
            if len(written) > NAME_MAX_CHARS:
                raise self._unbounded(f"is longer than {NAME_MAX_CHARS} characters", tuple(names))
            names.append(_name(written))
            if len(names) > DEPTH_MAX:
                raise self._unbounded(f"is nested deeper than {DEPTH_MAX}", tuple(names))
            self._skip(_BLANK)
            if not self._takes("."):
                return tuple(names)

    def _mark(self, place: Place, line: int) -> Place:
        if len(place) > DEPTH_MAX:
            raise self._unbounded(f"is nested deeper than {DEPTH_MAX}", place[:DEPTH_MAX])
        self.lines.setdefault(place, line)
        return place

    def _line(self) -> int:
        return bisect.bisect_left(self._ends, self._at) + 1

    def _unbounded(self, message: str, place: Place) -> UnboundedError:
        return UnboundedError(message, self._line(), place)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._matched(pattern)

    def _takes(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise _LostError

    def _matched(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self._text, self._at)
        if match is None:
            return None
        self._at = match.end()
        return match.group()


def _name(written: str) -> str:
    """A name without its quotes and escapes."""
    if not written.startswith('"'):
        return written.strip("'") if written.startswith("'") else written
    try:
        return str(tomllib.loads(f"name = {written}")["name"])
    except tomllib.TOMLDecodeError:
        raise _LostError from None
