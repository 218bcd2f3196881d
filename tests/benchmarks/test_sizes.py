"""Holds one small cell of each database, and what is told of cells: a table and curves."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.benchmarks import kept, picture, table
from tests.benchmarks.kept import Cell, Release, Result, Took
from tests.benchmarks.sizes import cells

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 300

NO_TIME = Took(0, 0, 0.0, 0.0, 0.0)


def result(cell: Cell, status_ms: float = 5.0, release_s: float = 1.0) -> Result:
    """What a cell might come to."""
    asked = Took(300, 0, status_ms, 2 * status_ms, 3 * status_ms)
    release = Release(release_s, 1.0, 0.0, NO_TIME, NO_TIME, 0)
    made = {"system": "Linux", "cores": 2, "python": "3.11.7"}
    return Result(
        cell, made, "0.1.0", 1.0, 2.0, 10_000, 1.0, 1 << 26, 1 << 27, 200, asked, asked, 9, release
    )


def sized(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.sizes", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_cell_is_measured_once(database: str, tmp_path: Path) -> None:
    """A real server was asked and had a release; the second run passes over what is there."""
    words = ("--machines", "60", "--profiles", "tenth", "--database", database)
    more = ("--rate", "20", "--seconds", "1", "--results", tmp_path)
    done = sized(*words, *more)
    assert done.returncode == 0, done.stderr
    (found,) = kept.read(tmp_path)
    assert (found.cell.machines, found.cell.profiles) == (60, 6)
    assert min(found.status_idle.answers, found.status_busy.answers) > 0
    assert found.check_ins_per_s > 0
    assert found.release.seconds > 0
    assert found.release.before.answers > 0
    assert found.release.machine_rows == 0
    assert found.release.meanwhile.errors == 0
    assert (tmp_path / "growth.svg").read_text(encoding="utf-8") == picture.svg([found])
    assert (tmp_path / "growth.md").read_text(encoding="utf-8") == table.page([found])
    again = sized(*words, *more)
    assert "has a result" in again.stderr
    assert again.stdout == done.stdout


def test_cells_come_by_size() -> None:
    """The large ones, which take longest, are last."""
    found = cells(["sqlite", "postgresql"], [100, 10], ["1000", "all"])
    assert [each.machines for each in found] == [10] * 4 + [100] * 4


@pytest.mark.parametrize(
    ("mix", "machines", "profiles"),
    [("1000", 500, 500), ("1000", 5_000, 1_000), ("tenth", 5, 1), ("all", 7, 7)],
)
def test_a_mix_says_how_many_profiles_there_are(
    mix: kept.Mix, machines: int, profiles: int
) -> None:
    """Never more than machines, and never none."""
    assert Cell("sqlite", machines, mix).profiles == profiles


def test_times_are_told_by_their_ranks() -> None:
    """Whatever their order; of none, nothing is told."""
    told = kept.took([each / 1_000 for each in reversed(range(1, 101))], errors=2)
    assert told == Took(100, 2, 51.0, 100.0, 100.0)
    assert kept.took([]) == NO_TIME


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    """In the order of the table, whatever order they were written in."""
    made = [result(each) for each in cells(["sqlite", "postgresql"], [10, 100], ["1000", "all"])]
    for each in made:
        kept.write(kept.file_of(tmp_path, each.cell), each)
    found = kept.read(tmp_path)
    assert sorted(map(msgspec.json.encode, found)) == sorted(map(msgspec.json.encode, made))
    assert [each.cell.name for each in found[:3]] == [
        "sqlite-10-1000",
        "sqlite-100-1000",
        "sqlite-10-all",
    ]


def test_the_table_compares_the_status() -> None:
    """A line per cell, and the ratio of the most machines to ten thousand."""
    sizes = (10_000, 100_000, 1_000_000)
    found = [result(Cell("sqlite", each, "all"), 4.0 + (each > 100_000)) for each in sizes]
    told = table.markdown(found).splitlines()
    assert len([line for line in told if line.startswith("| sqlite")]) == 3
    assert table.page(found).splitlines()[3] == "Machine: Linux, 2 cores, Python 3.11.7."
    assert told[-1] == "* status, sqlite, all distinct: 1,000,000 machines against 10,000: 1.25"


def _found(release_s: float) -> Sequence[Result]:
    return [
        result(Cell("sqlite", machines, "all"), release_s=release_s) for machines in (1_000, 10_000)
    ]


@pytest.mark.parametrize("release_s", [0.004, 1.0, 1_000.0])
def test_curves_stay_in_their_panels(release_s: float) -> None:
    """Well-formed, a curve per panel, each point within, however large or small a value is."""
    drawn = ET.fromstring(picture.svg(_found(release_s)))  # noqa: S314 - made just now
    curves = drawn.findall(".//{*}polyline")
    assert len(curves) == len(picture.PANELS)
    for curve in curves:
        for point in curve.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 230
            assert 0 <= y <= 200


def test_committed_results_can_be_told() -> None:
    """The picture of the README and the table are made from them, and they are whole."""
    found = kept.read(kept.FOLDER)
    assert found
    for name, told in (("growth.svg", picture.svg(found)), ("growth.md", table.page(found))):
        assert (kept.FOLDER / name).read_text(encoding="utf-8") == told
    for each in found:
        assert json.loads(kept.file_of(kept.FOLDER, each.cell).read_bytes())["version"]
