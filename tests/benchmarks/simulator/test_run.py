"""Holds one small run of everything: a real server, real sockets, an outage and a release."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_S = 300

pytestmark = pytest.mark.xdist_group("simulator")  # its tests look at one run


def simulated(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The simulator's command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.simulator", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two hundred machines in ten seconds, and all that befalls them, came to."""
    file = tmp_path_factory.mktemp("simulator") / "result.json"
    sizes = ("--machines", "200", "--seconds", "10", "--interval", "2")
    done = simulated(*sizes, "--connections", "32", "--out", file)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr
    return file


@pytest.fixture
def report(result: Path) -> dict[str, Any]:
    """The same, read."""
    return dict(json.loads(result.read_text(encoding="utf-8")))


def test_nothing_acknowledged_was_lost_or_counted_twice(report: dict[str, Any]) -> None:
    """The server was killed meanwhile; the database holds what it said, once."""
    found = report["figures"]["audit"]
    assert (found["lost"], found["doubled"]) == (0, 0), found
    assert found["machines compared"] == 200
    assert 0 < found["uses acknowledged"] <= found["uses in the database"]
    assert report["figures"]["server exit codes"] == [-9, 0]
    assert report["doctor"]["exit_code"] == 0


def test_laptops_said_all_that_agents_say(report: dict[str, Any]) -> None:
    """They checked in, met the outage, and sent what was wanted of them after the release."""
    outcomes = report["answers"]["outcomes"]
    assert report["figures"]["check-ins"] == outcomes["check-in: done"] > 200
    assert outcomes["upload: done"] > 0
    assert report["figures"]["repeated"] > 0
    assert report["answers"]["unreached in outages"]
    assert not report["answers"]["unreached"]
    assert sum(report["acknowledged by second"]) <= report["figures"]["check-ins"]


def test_bad_clients_were_sent_away(report: dict[str, Any]) -> None:
    """Each kind was refused as it should be, and none was taken for a laptop."""
    told = report["answers"]["bad clients"]
    assert {"garbage: 400", "nobody's token: 401", "too large: 413", "other wire: 422"} <= {*told}
    assert not report["answers"]["misjudged"]


def test_a_run_costs_something(report: dict[str, Any]) -> None:
    """Each side's costs are told apart, and a SQLite file has no process of its own."""
    cpu = report["figures"]["cpu ms per check-in"]
    assert cpu["server"] > 0
    assert cpu["this client"] > 0
    assert cpu["database"] == 0
    assert report["figures"]["database bytes"] > 0


def test_a_result_is_compared_with_another(result: Path, tmp_path: Path) -> None:
    """It is as good as itself; one that lost something is worse, with exit code 1."""
    assert simulated("compare", result, result).returncode == 0
    report = json.loads(result.read_text(encoding="utf-8"))
    report["figures"]["audit"]["lost"] = 1
    worse = tmp_path / "worse.json"
    worse.write_text(json.dumps(report), encoding="utf-8")
    done = simulated("compare", result, worse, "--threshold", "0.5")
    assert done.returncode == 1
    assert "WORSE audit.lost: 0 -> 1" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--machines", "0"), "at least one machine"),
        (("--connections", "0"), "0 connections"),
        (("--mix", "no such file"), "No such file"),
        (("compare", "no such file", "nor this"), "No such file"),
    ],
)
def test_what_cannot_be_run_is_refused(words: tuple[str, ...], said: str) -> None:
    """One line says why, with exit code 2, and nothing was started."""
    done = simulated(*words)
    assert done.returncode == 2
    assert said in done.stderr
