"""How commands show values: a table for people, plain lines for pipes, JSON for programs.

What laptops and people wrote (labels, owners) may hold anything printable; control
characters are shown as escapes, so that nothing reaches the terminal as a command to it.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

NOTHING = "-"
"""Stands where there is no value."""


def as_json(value: Any) -> None:
    """Prints a value as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows: in a table on a terminal, else tab-separated without a heading."""
    cells = [[cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            click.echo("\t".join(row))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in cells:
        table.add_row(*(Text(value) for value in row))
    Console().print(table)


def cell(value: object) -> str:
    """One value as text on one line."""
    if value is None or value == "":
        return NOTHING
    text = str(value)
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def moment(at: int | None) -> str:
    """A moment as people write it: UTC, to the minute."""
    return NOTHING if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%MZ")
