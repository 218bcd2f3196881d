"""Lines of text for people: tables, lengths of time, wrapped sentences. Pure.

Words that came from elsewhere lose whatever could move a terminal's cursor.
"""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

WIDTH = 100
"""Columns."""

_CELL = 24
_TONES = {
    "match": "32",
    "exempt": "36",
    "paused": "36",
    "pending": "33",
    "unknown": "33",
    "drift": "31",
}


def plain(text: object) -> str:
    """One line of printable text."""
    return "".join(each if each.isprintable() else " " for each in str(text))


def span(seconds: float) -> str:
    """A length of time in its two largest units, such as ``3 d 2 h``."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if left >= size or parts:
            parts.append(f"{left // size} {unit}")
            left %= size
        if len(parts) == 2:  # noqa: PLR2004 - two units, as the docstring says
            break
    shown = [part for part in parts if not part.startswith("0 ")]
    return " ".join(shown) or "0 s"


def when(at: int, zone: tzinfo | None) -> str:
    """A time on the reader's clock; `zone` None means the system's own."""
    try:
        return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return f"second {at}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Aligned columns; a long cell is cut short, the last one less than the others."""
    cells = [[_cut(plain(cell), _CELL) for cell in row[:-1]] + [plain(row[-1])] for row in rows]
    whole = [list(head), *cells]
    widths = [max(len(row[column]) for row in whole) for column in range(len(head) - 1)]
    lines = []
    for row in whole:
        start = "  ".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True))
        lines.append("  " + _cut(f"{start}  {row[-1]}", WIDTH - 2).rstrip())
    return lines


def wrapped(text: str, indent: str) -> list[str]:
    """A sentence in indented lines; a long word is left whole."""
    return textwrap.wrap(
        plain(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def painted(text: str, state: str, *, colour: bool) -> str:
    """The text in the colour of a standing or severity, where the terminal shows colours."""
    tone = _TONES.get(state)
    return f"\x1b[{tone}m{text}\x1b[0m" if colour and tone else text


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
