"""What sizes cost, as it is kept: one file of JSON for each cell of databases, sizes and mixes.

A run that was cut short keeps the cells that it had; the next one goes on from there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tests.benchmarks.simulator.database import DatabaseKind

Mix = Literal["1000", "tenth", "all"]
"""How many profiles a fleet has: at most 1,000, one for ten machines, or one for each."""

FOLDER = Path(__file__).with_name("results") / "growth"
"""Where the committed results are."""


class Cell(msgspec.Struct, frozen=True):
    """One fleet to be measured.

    Attributes:
        database: Where it is kept.
        machines: How many there are.
        mix: How they share profiles.
    """

    database: DatabaseKind
    machines: int
    mix: Mix

    @property
    def name(self) -> str:
        """Of its file, without a suffix."""
        return f"{self.database}-{self.machines}-{self.mix}"

    @property
    def profiles(self) -> int:
        """How many profiles it has."""
        share = {"1000": 1_000, "tenth": max(1, self.machines // 10), "all": self.machines}
        return min(share[self.mix], self.machines)


class Took(msgspec.Struct, frozen=True):
    """How long answers took.

    Attributes:
        answers: How many there were.
        errors: Answers that were none, or no good one.
        p50_ms: The middle one, in milliseconds.
        p99_ms: What 99 of 100 took at most.
        longest_ms: The longest.
    """

    answers: int
    errors: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


class Release(msgspec.Struct, frozen=True):
    """A new release, from the committed reading until all verdicts were right.

    Attributes:
        seconds: How long that took.
        server_cpu_s: What it cost the server, and SQLite in it.
        database_cpu_s: What it cost PostgreSQL.
        before: Check-ins at the steady rate, right before.
        meanwhile: The same until all was right, each counted from when it was due.
        machine_rows: Rows of machines, of their presence and of their histories that were
            written by it.
    """

    seconds: float
    server_cpu_s: float
    database_cpu_s: float
    before: Took
    meanwhile: Took
    machine_rows: int


class Result(msgspec.Struct, frozen=True):
    """What a cell came to.

    Attributes:
        cell: Which one.
        measured_on: The machine, how busy it was before, and the command.
        version: Of the server.
        made_s: How long it took to make the fleet, in seconds.
        whole_s: How long the cell took, in seconds.
        database_bytes: Before a server ran on it.
        started_s: From the start until all was judged the first time, in seconds.
        resident_bytes: Of the server then.
        most_resident_bytes: The most that it ever had.
        rate: Check-ins a second of what is called steady.
        status_idle: The status, asked of a server that does nothing else.
        status_busy: The same beside steady check-ins.
        check_ins_per_s: Unchanged check-ins, as many as one client gets answered.
        release: A new release beside steady check-ins.
    """

    cell: Cell
    measured_on: Mapping[str, object]
    version: str
    made_s: float
    whole_s: float
    database_bytes: int
    started_s: float
    resident_bytes: int
    most_resident_bytes: int
    rate: int
    status_idle: Took
    status_busy: Took
    check_ins_per_s: int
    release: Release


_results = msgspec.json.Decoder(Result)


def took(times_s: Sequence[float], errors: int = 0) -> Took:
    """How long answers took, from the seconds of each. Pure."""
    if not times_s:
        return Took(0, errors, 0.0, 0.0, 0.0)
    ordered = sorted(times_s)
    p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    told = (round(each * 1e3, 3) for each in (p50, p99, ordered[-1]))
    return Took(len(ordered), errors, *told)


def file_of(folder: Path, cell: Cell) -> Path:
    """Where the result of a cell is, or will be."""
    return folder / f"{cell.name}.json"


def write(file: Path, result: Result) -> None:
    """Keeps a result, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    part.replace(file)


def read(folder: Path) -> Sequence[Result]:
    """All results in a folder, by database, mix and size."""
    found = [_results.decode(file.read_bytes()) for file in folder.glob("*.json")]
    mixes = ("1000", "tenth", "all")
    return sorted(
        found,
        key=lambda each: (
            each.cell.database != "sqlite",
            mixes.index(each.cell.mix),
            each.cell.machines,
        ),
    )
