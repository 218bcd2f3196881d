"""Holds one small outage: a real server that is killed under laptops, and all that come back."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from server.store import acks
from tests.benchmarks import fleets
from tests.benchmarks.simulator import outage, outage_report
from tests.benchmarks.simulator.test_run import simulated

pytestmark = pytest.mark.xdist_group("simulator")  # its tests look at one run


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What three hundred machines made of an outage of two intervals."""
    file = tmp_path_factory.mktemp("outage") / "result.json"
    sizes = ("--machines", "300", "--interval", "4", "--steady", "4", "--outage", "8")
    done = simulated("outage", *sizes, "--connections", "32", "--out", file)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr
    return file


@pytest.fixture
def report(result: Path) -> dict[str, Any]:
    """The same, read."""
    return dict(json.loads(result.read_text(encoding="utf-8")))


def test_all_come_back_and_nothing_is_lost(report: dict[str, Any]) -> None:
    """What was acknowledged before the kill and after it is in the database, once."""
    assert report["return"]["came back"] == 300
    assert sum(report["return"]["came back by second"]) == 300
    assert report["figures"]["audit"]["machines compared"] == 300
    assert report["figures"]["server exit codes"] == [-9, 0]
    assert outage_report.is_well(report)


def test_the_outage_is_as_long_as_it_was_asked_for(report: dict[str, Any]) -> None:
    """Nobody came back in it, and everybody tried."""
    assert report["outage"]["lasted s"] >= 8
    assert report["outage"]["attempts of a machine"] > 1


def test_next_check_ins_are_told_of_all(report: dict[str, Any]) -> None:
    """Each machine has one, and the server's load is told second by second."""
    told = report["return"]
    assert sum(told["next check-ins"]["in each window"]) == 300
    assert sum(told["check-ins by second"]) == told["check-ins"] >= 300
    assert told["fullest window of check-ins, where 1 is steady"] > 0


def test_somebody_looked_at_the_status(report: dict[str, Any]) -> None:
    """Before the outage, and what all that cost is told."""
    assert report["figures"]["status ms"]["p99"] > 0
    assert report["figures"]["cores"]["server"] > 0
    assert report["figures"]["cores"]["this client"] > 0


def test_an_outage_is_compared_with_its_like(result: Path, tmp_path: Path) -> None:
    """It is as good as itself, and not comparable with one that lasted longer."""
    assert simulated("compare", result, result).returncode == 0
    told = json.loads(result.read_text(encoding="utf-8"))
    told["scenario"]["mix"]["outage s"] = 1_800
    longer = tmp_path / "longer.json"
    longer.write_text(json.dumps(told), encoding="utf-8")
    assert simulated("compare", result, longer).returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mix", "default"), "nothing else befalls"),
        (("--outage", "0"), "take some seconds"),
        (("--return-max", "90000"), "take some seconds"),
        (("--steady", "0"), "at least one machine and one second"),
    ],
)
def test_an_outage_that_cannot_be_is_refused(words: tuple[str, ...], said: str) -> None:
    """One line says why, with exit code 2, and nothing was started."""
    done = simulated("outage", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_slow_machine_alone_makes_no_run_fail() -> None:
    """How long something takes is judged where nothing else runs."""
    held = {"none lost or doubled": True, "status in time": False, "laptops in time": False}
    assert outage_report.is_well({"held": held})
    assert not outage_report.is_well({"held": held | {"none lost or doubled": False}})


def test_a_quiet_fleet_is_spread_as_the_server_spreads_it() -> None:
    """Each machine's first check-in is where an answer one interval before would have put it."""
    now, interval_s = 1_000_000.0, 900
    found = list(outage.slots(3_000, interval_s, now))
    assert all(now <= at < now + interval_s for at in found)
    for number in (0, 1, 2_999):
        wait_s = acks.next_s(fleets.machine_id(number), interval_s, int(found[number]))
        assert wait_s == interval_s
    windows = Counter(int((at - now) / (interval_s / 10)) for at in found)
    assert max(windows.values()) < 450
