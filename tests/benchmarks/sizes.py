"""What growth costs: cells of databases, sizes and mixes, one after another.

``python -m tests.benchmarks.sizes --machines 1000 10000 100000 1000000`` measures each in a process
and a folder of its own (`tests.benchmarks.cell`), and passes over those that have a result, so
that a run which was cut short goes on where it was. At the end, or with ``--tell`` at once, it
prints the table of all results that there are, and keeps it beside them with their curves. It
needs ``wrk``.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from tests.benchmarks import kept, picture, table
from tests.benchmarks.kept import Cell, Mix
from tests.benchmarks.simulator.database import DatabaseKind

CELL_MAX_S = 7_200
"""Longest that a cell may take, in seconds."""

END_S = 60
"""Longest that a cell takes to end its server, in seconds."""

CURVES, TABLE = "growth.svg", "growth.md"
"""What is kept beside the results."""


def main() -> None:
    """Measures what lacks, then tells all.

    Raises:
        SystemExit: A cell could not be measured, with exit code 1; the others were.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sizes", description=__doc__)
    parser.add_argument("--machines", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--database", choices=("both", *get_args(DatabaseKind)), default="both")
    parser.add_argument("--profiles", choices=get_args(Mix), nargs="+", default=get_args(Mix))
    parser.add_argument("--rate", type=int, default=200, help="steady check-ins a second")
    parser.add_argument("--seconds", type=int, default=10, help="to look at each thing")
    parser.add_argument("--results", type=Path, default=kept.FOLDER, help="their folder")
    parser.add_argument("--again", action="store_true", help="also cells that have a result")
    parser.add_argument("--tell", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    failed = [] if asked.tell else list(_failed(asked))
    found = kept.read(asked.results)
    print(table.markdown(found))
    if found:
        for name, told in ((CURVES, picture.svg(found)), (TABLE, table.page(found))):
            kept_as = asked.results / name
            kept_as.write_text(told, encoding="utf-8")
            print(f"written: {kept_as}", file=sys.stderr)
    if failed:
        sys.exit("not measured: " + ", ".join(cell.name for cell in failed))


def cells(
    databases: Sequence[DatabaseKind], sizes: Sequence[int], mixes: Sequence[Mix]
) -> Iterator[Cell]:
    """The cells that were asked for, smallest first."""
    for machines in sorted(sizes):
        for database in databases:
            for mix in mixes:
                yield Cell(database, machines, mix)


def _failed(asked: argparse.Namespace) -> Iterator[Cell]:
    """Measures what lacks; the cells that could not be."""
    databases = get_args(DatabaseKind) if asked.database == "both" else (asked.database,)
    wanted = list(cells(databases, asked.machines, asked.profiles))
    for number, cell in enumerate(wanted, 1):
        out = kept.file_of(asked.results, cell)
        at = f"{number} of {len(wanted)}: {cell.name}"
        if out.exists() and not asked.again:
            print(f"{at} has a result", file=sys.stderr, flush=True)
            continue
        print(at, file=sys.stderr, flush=True)
        begin = time.monotonic()
        if not _measured(cell, asked, out):
            yield cell
        print(f"{at} took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)


def _measured(cell: Cell, asked: argparse.Namespace, out: Path) -> bool:
    words = ("--database", cell.database, "--machines", str(cell.machines))
    more = ("--profiles", cell.mix, "--rate", str(asked.rate), "--seconds", str(asked.seconds))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.cell", *words, *more, "--out", out]
    )
    try:
        return process.wait(CELL_MAX_S) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            process.terminate()  # it ends its server then
            process.wait(END_S)


if __name__ == "__main__":
    main()
