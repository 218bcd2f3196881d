"""Lines of text for people: tables, lengths of time, wrapped sentences. Pure.

Words that came from elsewhere lose whatever could move a terminal's cursor.
"""

import textwrap
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo

WIDTH = 100
"""The most columns, and how many there are where nothing is known of the reader's terminal."""

_CELL = 24
_LAST_MIN = 20
_NARROW = 40
# Of the process: a command prints to one reader.
_columns = ContextVar("columns", default=WIDTH)
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


def when(at: int, zone: tzinfo | None, *, zoned: bool = False) -> str:
    """A time on the reader's clock; `zone` None means the system's own.

    Args:
        at: Epoch seconds.
        zone: Of the reader.
        zoned: Name the zone too, by its distance from UTC.
    """
    try:
        moment = datetime.fromtimestamp(at, UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return f"second {at}"
    offset = f"{moment:%z}"
    told = f" {offset[:3]}:{offset[3:5]}" if zoned else ""
    return f"{moment:%Y-%m-%d %H:%M}{told}"


def fit(columns: int) -> None:
    """Makes later lines fit a terminal that is this wide; `WIDTH` is the most all the same."""
    _columns.set(max(_NARROW, min(WIDTH, columns)))


def rows_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Aligned columns, as the lines of the head and of each row.

    The last cell goes on in further lines where it is long, and beneath its row where it has
    too little room; the others are cut short.
    """
    cells = [[_cut(plain(cell), _CELL) for cell in row[:-1]] + [plain(row[-1])] for row in rows]
    whole = [list(head), *cells]
    widths = [max(len(row[column]) for row in whole) for column in range(len(head) - 1)]
    starts = [
        "  " + "".join(f"{cell.ljust(width)}  " for cell, width in zip(row, widths, strict=False))
        for row in whole
    ]
    return [_row(start, row[-1]) for start, row in zip(starts, whole, strict=True)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Aligned columns, as `rows_of`, one line after another."""
    return [line for lines in rows_of(head, rows) for line in lines]


def wrapped(text: str, indent: str, *, hang: str | None = None) -> list[str]:
    """A sentence in indented lines; a long word is left whole.

    Args:
        text: The sentence.
        indent: Before the first line.
        hang: Before the others; None for the same.
    """
    return textwrap.wrap(
        plain(text),
        _columns.get(),
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def painted(text: str, state: str, *, colour: bool) -> str:
    """The text in the colour of a standing or severity, where the terminal shows colours."""
    tone = _TONES.get(state)
    return f"\x1b[{tone}m{text}\x1b[0m" if colour and tone else text


def _row(start: str, last: str) -> list[str]:
    if len(start) + len(last) <= _columns.get():
        return [(start + last).rstrip()]
    if len(start) + _LAST_MIN > _columns.get():
        return [start.rstrip(), *wrapped(last, "      ")]
    first, *others = wrapped(last, " " * len(start))
    return [start + first[len(start) :], *others]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
