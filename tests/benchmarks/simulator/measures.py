"""What a run counts and how long things took, in a size that does not grow with it. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.exchange_table import Outcome, State

FLOOR_S = 1e-5
"""What is shorter counts as this, in seconds."""

GROWTH = 1.02
"""Each class of a histogram ends so much later than the one before: 2 % is its error."""

_LOG = math.log(GROWTH)
_CLASSES = math.ceil(math.log(86_400 / FLOOR_S) / _LOG) + 1

QUANTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Histogram:
    """Spans of time by class, up to a day.

    Attributes:
        count: How many.
        longest: The longest, in seconds.
    """

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0.0
        self._classes = [0] * _CLASSES

    def add(self, seconds: float) -> None:
        """Counts one span."""
        where = math.ceil(math.log(max(seconds, FLOOR_S) / FLOOR_S) / _LOG)
        self._classes[min(where, _CLASSES - 1)] += 1
        self.count += 1
        self.longest = max(self.longest, seconds)

    def quantile(self, part: float) -> float:
        """The span that so large a part does not exceed, within `GROWTH`; 0 without any."""
        left = math.ceil(part * self.count)
        for where, count in enumerate(self._classes):
            left -= count
            if left <= 0 < self.count:
                return min(self.longest, FLOOR_S * GROWTH**where)
        return self.longest

    def told_ms(self) -> dict[str, float]:
        """Its quantiles and the longest, in milliseconds."""
        found = {name: self.quantile(part) * 1e3 for name, part in QUANTILES.items()}
        return {
            name: round(each, 3) for name, each in (found | {"max": self.longest * 1e3}).items()
        }


@dataclass
class Measures:
    """All that a run counts.

    Attributes:
        latency: From a request to its answer, of check-ins while the server was up.
        late: From when a laptop was due until its turn: the client's own slowness.
        status: From a request to its answer, of the status while the server was up.
        answers: By state and outcome.
        statuses: By HTTP status.
        unreached: Requests without an answer while the server was up, by why.
        in_outage: The same while it was not: expected.
        acked: Acknowledged check-ins.
        by_second: The same, by second of the run.
        said: Check-ins that were sent or were tried to be, repeated ones too.
        repeated: Those of them that were sent again byte for byte.
        body_bytes: Their bodies.
        sent_bytes: All that laptops sent, heads included.
        received_bytes: All that laptops received.
        connections: Opened by laptops.
        bad: Requests of bad clients, by (kind, what came of it).
        misjudged: Those of them that were not answered as they should.
        status_errors: Looks at the status that failed while the server was up.
    """

    latency: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    status: Histogram = field(default_factory=Histogram)
    answers: Counter[tuple[State, Outcome]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    unreached: Counter[str] = field(default_factory=Counter)
    in_outage: Counter[str] = field(default_factory=Counter)
    acked: int = 0
    by_second: Counter[int] = field(default_factory=Counter)
    said: int = 0
    repeated: int = 0
    body_bytes: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    connections: int = 0
    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    misjudged: Counter[str] = field(default_factory=Counter)
    status_errors: int = 0

    @property
    def errors(self) -> int:
        """Answers of 500 and above but for 503, and none at all while the server was up."""
        broken = sum(
            number for status, number in self.statuses.items() if status >= 500 and status != 503
        )
        return broken + self.unreached.total() + self.status_errors


def series(by_second: Mapping[int, int], seconds: int) -> list[int]:
    """Counts of all seconds of a run, of those without any too."""
    return [by_second.get(second, 0) for second in range(seconds)]


@dataclass(frozen=True)
class Waves:
    """How check-ins came back after an outage; all in check-ins a second.

    Attributes:
        before: On average, before it.
        first: The most over a tenth of an interval, in the interval after it.
        second: The same in what comes after that.

    None is of what the run was too short for.
    """

    before: float | None
    first: float | None
    second: float | None


def waves(counts: Sequence[int], stopped: int, started: int, interval_s: int) -> Waves:
    """What an outage did to the load.

    Args:
        counts: Of every second, up to the next disturbance.
        stopped: The second in which it began.
        started: The second in which it ended.
        interval_s: Seconds between two check-ins of a machine.
    """
    # The first rests after an outage have phases of their own, up to one and a half intervals.
    settled = started + interval_s + interval_s // 2
    window = max(1, interval_s // 10)
    before = counts[:stopped]
    return Waves(
        sum(before) / len(before) if before else None,
        most(counts[started:settled], window),
        most(counts[settled:], window),
    )


def most(counts: Sequence[int], window: int) -> float | None:
    """The most a second over so many seconds; None if there are fewer."""
    if len(counts) < window:
        return None
    sums = [sum(counts[at : at + window]) for at in range(len(counts) - window + 1)]
    return max(sums) / window
