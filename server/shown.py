"""How commands show values: a table for people, JSON for programs.

A table has its headings wherever it goes. On a terminal it is fitted to the width: the widest
columns break between words, and no fact is cut; into a pipe each row is one line, for ``grep``.
What laptops and people wrote (labels, owners) may hold anything printable; control
characters are shown as escapes, so that nothing reaches the terminal as a command to it.
"""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import click
import msgspec

NOTHING = "-"
"""Stands where there is no value."""

_GAP = "  "


def as_json(value: Any) -> None:
    """Prints a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows under their headings, or on standard error that there are none."""
    listed = list(rows)
    if not listed:
        click.echo("none", err=True)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table(columns, listed, width):
        click.echo(line)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], width: int | None
) -> Iterator[str]:
    """The lines of a table with headings; pure.

    Args:
        columns: The headings.
        rows: The values, as many in each row.
        width: How wide it is to be, in columns of the terminal; None for as wide as it is. A
            single word is never broken, so that it can be copied.
    """
    cells = [list(columns), *([cell(value) for value in row] for row in rows)]
    fitted = _fitted(cells, width)
    broken = [
        [_broken(text, size) for text, size in zip(row, fitted, strict=True)] for row in cells
    ]
    widths = [
        max(len(part) for parts in column for part in parts) for column in zip(*broken, strict=True)
    ]
    for row in broken:
        for parts in zip_longest(*row, fillvalue=""):
            padded = (part.ljust(size) for part, size in zip(parts, widths, strict=True))
            yield _GAP.join(padded).rstrip()


def cell(value: object) -> str:
    """One value as text on one line."""
    if value is None or value == "":
        return NOTHING
    text = str(value)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def moment(at: int | None) -> str:
    """A moment as people write it: UTC, to the minute."""
    return NOTHING if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")


def _fitted(cells: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """The columns' widths: the widest gives way first, down to its longest word."""
    columns = list(zip(*cells, strict=True))
    widths = [max(map(len, column)) for column in columns]
    least = [max(len(word) for text in column for word in text.split(" ")) for column in columns]
    over = 0 if width is None else sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while over > 0:
        spare = [(size, number) for number, size in enumerate(widths) if size > least[number]]
        if not spare:
            break
        widths[max(spare)[1]] -= 1
        over -= 1
    return widths


def _broken(text: str, width: int) -> list[str]:
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
