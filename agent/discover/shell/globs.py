"""Values with marks in them, and patterns. Pure.

A value carries marks, single control characters that no start file may contain: for what
cannot be known before the shell starts, and for the unquoted characters that the shell
still has to act on. Matching takes time in proportion to value times pattern, whatever
the pattern.
"""

UNKNOWN = "\x00"
"""Stands for text that is computed when the shell starts."""

ELSEWHERE = "\x04"
"""Stands for text that is computed, but known to be another program's own: no folder of ours."""

STAR, QUESTION, BLANK = "\x01", "\x02", "\x03"

_PLAIN = str.maketrans({STAR: "*", QUESTION: "?", BLANK: " "})
_NO_MARKS = dict.fromkeys(range(5))


def without_marks(text: str) -> str:
    """A file's text, with the characters taken out that are marks here."""
    return text.translate(_NO_MARKS)


def plain(value: str) -> str:
    """A value as the shell would print it; what is unknown stays marked."""
    return value.translate(_PLAIN)


def is_pattern(value: str) -> bool:
    """Whether an unquoted ``*`` or ``?`` is in a value."""
    return STAR in value or QUESTION in value


def matches(value: str, pattern: str) -> bool:
    """Whether the whole value fits a pattern of marks and plain characters."""
    at = place = 0
    star = mark = -1
    while at < len(value):
        if place < len(pattern) and pattern[place] == STAR:
            star, mark = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in (QUESTION, value[at]):
            at += 1
            place += 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return not pattern[place:].strip(STAR)
