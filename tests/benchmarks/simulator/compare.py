"""Whether a run got worse than one before it. Pure.

Only runs of the same scenario are compared. What an agent was promised (nothing lost, nothing
counted twice) has no threshold; all else may be worse by a part of what it was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Report = Mapping[str, Any]

THRESHOLD = 0.15
"""By which part a figure may be worse."""

WORSE_IF_LESS = ("check-ins per s",)
WORSE_IF_MORE = (
    "latency ms.p50",
    "latency ms.p90",
    "latency ms.p99",
    "status ms.p99",
    "cpu ms per check-in.server",
    "cpu ms per check-in.database",
    "bytes per check-in.sent",
    "bytes per check-in.received",
    "bytes per check-in.body",
    "database bytes per machine",
)
NEVER_MORE = ("audit.lost", "audit.doubled", "errors", "misjudged")

_SAME = ("machines", "seconds", "database", "connections", "keep alive", "mix")


class NotComparableError(Exception):
    """The two runs are of different scenarios, or one is no report."""


@dataclass(frozen=True)
class Difference:
    """One figure of both runs.

    Attributes:
        name: Of the figure.
        before: What it was.
        after: What it is.
        is_worse: By more than its threshold.
    """

    name: str
    before: float
    after: float
    is_worse: bool

    def __str__(self) -> str:
        mark = "WORSE" if self.is_worse else "ok"
        return f"{mark:5} {self.name}: {self.before:g} -> {self.after:g}"


def thresholds(words: list[str]) -> Mapping[str, float]:
    """Thresholds by figure from words like ``0.2`` and ``latency ms.p99=0.5``.

    The one for all that are not named stands under the empty name.

    Raises:
        ValueError: A word is neither.
    """
    found = {"": THRESHOLD}
    for word in words:
        name, _, number = word.rpartition("=")
        if name and name not in (*WORSE_IF_LESS, *WORSE_IF_MORE):
            known = ", ".join((*WORSE_IF_LESS, *WORSE_IF_MORE))
            raise ValueError(f"{name} is no figure with a threshold; they are: {known}")
        found[name] = float(number)
    return found


def compare(before: Report, after: Report, allowed: Mapping[str, float]) -> tuple[Difference, ...]:
    """Every figure that both reports have.

    Args:
        before: What was good enough.
        after: What is looked at.
        allowed: By `thresholds`.

    Raises:
        NotComparableError: They are of different scenarios.
    """
    try:
        _check_same(before["scenario"], after["scenario"])
        return tuple(_differences(before["figures"], after["figures"], allowed))
    except (KeyError, TypeError, AttributeError) as error:
        raise NotComparableError(f"one of the two is no report of a run: {error}") from error


def _check_same(before: Report, after: Report) -> None:
    for name in _SAME:
        if before[name] != after[name]:
            raise NotComparableError(
                f"the runs differ in {name}: {before[name]!r} and {after[name]!r}"
            )


def _differences(
    before: Report, after: Report, allowed: Mapping[str, float]
) -> Iterator[Difference]:
    for name in (*WORSE_IF_LESS, *WORSE_IF_MORE, *NEVER_MORE):
        old, new = _figure(before, name), _figure(after, name)
        if old is None or new is None:
            continue
        part = 0.0 if name in NEVER_MORE else allowed.get(name, allowed[""])
        worse = old - new if name in WORSE_IF_LESS else new - old
        yield Difference(name, old, new, worse > part * old)


def _figure(report: Report, name: str) -> float | None:
    """A figure by its path; None where the run had none, as of a status nobody looked at."""
    found: Any = report
    for word in name.split("."):
        found = found[word]
    return None if found is None else float(found)
