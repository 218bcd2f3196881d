"""Holds what counts as worse."""

import copy
from typing import Any

import pytest

from tests.benchmarks.simulator.compare import (
    WORSE_IF_LESS,
    WORSE_IF_MORE,
    NotComparableError,
    compare,
    thresholds,
)

QUANTILES = {"p50": 1.0, "p90": 2.0, "p99": 10.0, "max": 20.0}
REPORT: dict[str, Any] = {
    "scenario": {
        "machines": 100,
        "seconds": 10,
        "database": "sqlite",
        "connections": 8,
        "keep alive": False,
        "mix": {"clones": 0.1, "outages": [{"at": 0.1}]},
    },
    "figures": {
        "check-ins per s": 1_000.0,
        "latency ms": dict(QUANTILES),
        "status ms": dict(QUANTILES),
        "cpu ms per check-in": {"server": 0.2, "database": 0.0, "this client": 0.5},
        "bytes per check-in": {"body": 180.0, "sent": 500.0, "received": 300.0},
        "database bytes per machine": 700.0,
        "errors": 0,
        "misjudged": 0,
        "audit": {"lost": 0, "doubled": 0},
    },
}


def changed(name: str, value: object) -> dict[str, Any]:
    """The report with another figure."""
    report = copy.deepcopy(REPORT)
    *path, last = ["figures", *name.split(".")]
    place = report
    for each in path:
        place = place[each]
    place[last] = value
    return report


def worse(after: dict[str, Any], *words: str) -> list[str]:
    """The figures that got worse."""
    found = compare(REPORT, after, thresholds(list(words)))
    return [each.name for each in found if each.is_worse]


def test_a_run_is_not_worse_than_itself() -> None:
    """All figures of a report are compared, and none of them is worse."""
    found = compare(REPORT, copy.deepcopy(REPORT), thresholds(["0"]))
    assert {*WORSE_IF_LESS, *WORSE_IF_MORE} <= {each.name for each in found}
    assert not any(each.is_worse for each in found)


@pytest.mark.parametrize(
    ("name", "value", "is_worse"),
    [
        ("check-ins per s", 900.0, False),
        ("check-ins per s", 800.0, True),
        ("check-ins per s", 9_000.0, False),
        ("latency ms.p99", 11.0, False),
        ("latency ms.p99", 12.0, True),
        ("latency ms.p99", 0.1, False),
        ("latency ms.max", 900.0, False),
        ("cpu ms per check-in.server", 0.3, True),
        ("cpu ms per check-in.this client", 9.0, False),
        ("audit.lost", 1, True),
        ("audit.doubled", 1, True),
        ("errors", 1, True),
    ],
)
def test_a_figure_may_be_worse_by_its_threshold(name: str, value: float, is_worse: bool) -> None:  # noqa: FBT001
    """More is worse of some, less of others; nothing may ever be lost."""
    assert worse(changed(name, value)) == ([name] if is_worse else [])


def test_a_threshold_can_be_of_one_figure() -> None:
    """The others keep theirs."""
    after = changed("latency ms.p99", 14.0)
    assert worse(after, "latency ms.p99=0.5") == []
    assert worse(after, "latency ms.p90=0.5") == ["latency ms.p99"]
    assert worse(after, "0.5") == []


def test_a_figure_that_a_run_did_not_have_is_not_compared() -> None:
    """Nobody looked at the status: that is neither better nor worse."""
    after = changed("status ms", dict.fromkeys(QUANTILES))
    assert worse(after) == []


def test_a_threshold_of_no_figure_is_refused() -> None:
    """A misspelt name would let anything pass."""
    with pytest.raises(ValueError, match="latency is no figure"):
        thresholds(["latency=0.5"])
    with pytest.raises(ValueError, match="could not convert"):
        thresholds(["much"])


@pytest.mark.parametrize("other", [{}, {"scenario": {}, "figures": {}}, {"scenario": 3}])
def test_what_is_no_report_is_refused(other: dict[str, Any]) -> None:
    """A file of something else is told as such."""
    with pytest.raises(NotComparableError, match="no report"):
        compare(REPORT, other, thresholds([]))


@pytest.mark.parametrize("name", ["machines", "database", "mix"])
def test_runs_of_different_scenarios_are_not_compared(name: str) -> None:
    """Twice the machines are no regression."""
    other = copy.deepcopy(REPORT)
    other["scenario"][name] = "another"
    with pytest.raises(NotComparableError, match=f"differ in {name}"):
        compare(REPORT, other, thresholds([]))
