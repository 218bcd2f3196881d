"""The large sizes are measured by hand; what was kept of them says what was wanted of them."""

import json
from typing import get_args

from tests.benchmarks import kept
from tests.benchmarks.kept import Mix
from tests.benchmarks.simulator.database import DatabaseKind
from tests.benchmarks.simulator.outage_report import STATUS_P99_MAX_S
from tests.benchmarks.sizes import cells

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MILLION = 1_000_000


def test_growth_is_kept_of_every_size_and_mix() -> None:
    """On both databases; and nowhere was a row of a machine written by a release."""
    found = kept.read(kept.FOLDER)
    wanted = cells(get_args(DatabaseKind), SIZES, get_args(Mix))
    assert {each.cell for each in found} == set(wanted)
    assert not [each.cell for each in found if each.release.machine_rows]
    assert not [each.cell for each in found if each.release.meanwhile.errors]


def test_an_outage_of_a_million_laptops_is_kept() -> None:
    """Ten minutes of 1,111 check-ins a second, half an hour without a server, and all are back."""
    file = kept.FOLDER.with_name("outage-sqlite.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    figures, back = told["figures"], told["return"]
    assert told["scenario"]["machines"] == MILLION
    assert told["scenario"]["mix"]["outage s"] >= 1_800
    assert figures["check-ins"] >= MILLION * 600 // 900
    assert (figures["errors"], back["errors"]) == (0, 0)
    assert figures["status ms"]["p99"] < STATUS_P99_MAX_S * 1_000
    assert (figures["audit"]["lost"], figures["audit"]["doubled"]) == (0, 0)
    assert back["came back"] == MILLION
    assert told["held"]["no second wave"]
