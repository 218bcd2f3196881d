"""A run as it is told: what was asked, what was counted, what was found. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.benchmarks.simulator import audit, scenario
from tests.benchmarks.simulator.audit import Findings
from tests.benchmarks.simulator.database import DatabaseKind
from tests.benchmarks.simulator.measures import Histogram, Measures, series, waves
from tests.benchmarks.simulator.meter import Meter
from tests.benchmarks.simulator.scenario import Mix

Window = tuple[float, float]
"""From when until when the server was away, in seconds of the run."""


_SERIES = re.compile(r"\[\n[-\d.,\s]+\]")  # no string has a line of its own


@dataclass(frozen=True)
class Options:
    """What is asked of a run.

    Attributes:
        machines: How many are enrolled.
        seconds: How long they are driven.
        mix: What they are like, and what befalls them.
        database: Of what kind.
        connections: Most conversations at a time.
        keep_alive: Connections outlive a conversation, as through a proxy.
        seed: Of all chances.
    """

    machines: int
    seconds: int
    mix: Mix
    database: DatabaseKind = "sqlite"
    connections: int = 256
    keep_alive: bool = False
    seed: int = 1


@dataclass
class Costs:
    """What a run cost.

    Attributes:
        server: The server's processes, without their starts.
        database: Those of the database, if it has any.
        own_cpu_s: This process's CPU while it drove, in seconds.
        own_bytes: What this process held at the end.
        database_bytes: What the database held at the end.
        seconds: How long it drove.
        starts_s: How long the server took to start again, each time.
        exit_codes: Of the server, each time that it ended.
    """

    server: Meter = field(default_factory=Meter)
    database: Meter = field(default_factory=Meter)
    own_cpu_s: float = 0.0
    own_bytes: int = 0
    database_bytes: int = 0
    seconds: float = 0.0
    starts_s: list[float] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Doctor:
    """What ``parity-server doctor`` said at the end.

    Attributes:
        exit_code: 0 if all is well.
        tries: How often it was asked until it was, or for the last time.
        said: Line by line.
    """

    exit_code: int
    tries: int
    said: Sequence[str]


def report(
    options: Options,
    measures: Measures,
    costs: Costs,
    windows: Sequence[Window],
    found: Findings,
    doctor: Doctor,
) -> dict[str, Any]:
    """All of a run as plain values.

    Args:
        options: What was asked.
        measures: What was counted.
        costs: What it cost.
        windows: When the server was away.
        found: By the audit.
        doctor: The doctor's word.
    """
    counts = series(measures.by_second, options.seconds)
    return {
        "scenario": scenario_of(options),
        "figures": figures_of(options, measures, costs, found),
        "answers": _answers(measures),
        "outages": list(_outages(options, windows, counts)),
        "doctor": asdict(doctor),
        "acknowledged by second": counts,
    }


def is_well(told: Mapping[str, Any]) -> bool:
    """Whether nothing went wrong that never may, by a report."""
    figures = told["figures"]
    found = figures["audit"]
    wrong = (found["lost"], found["doubled"], figures["errors"], figures["misjudged"])
    return not any(wrong) and told["doctor"]["exit_code"] == 0


def as_text(told: Mapping[str, Any]) -> str:
    """A report as JSON to be read: a series takes one line, however long it is."""
    text = json.dumps(told, indent=2)
    return _SERIES.sub(lambda found: " ".join(found[0].split()), text) + "\n"


def scenario_of(options: Options) -> Mapping[str, Any]:
    """What was asked, as it is compared."""
    return {
        "machines": options.machines,
        "profiles": options.mix.profile_count(options.machines),
        "seconds": options.seconds,
        "database": options.database,
        "connections": options.connections,
        "keep alive": options.keep_alive,
        "seed": options.seed,
        # As it comes back from a file: there are no tuples in JSON.
        "mix": json.loads(json.dumps(scenario.told(options.mix))),
    }


def figures_of(
    options: Options, measures: Measures, costs: Costs, found: Findings
) -> Mapping[str, Any]:
    """What is compared, and what goes with it."""
    return {
        "check-ins": measures.acked,
        "check-ins per s": round(measures.acked / max(costs.seconds, 1.0), 1),
        "latency ms": told_ms(measures.latency),
        "late ms": told_ms(measures.late),
        "status ms": told_ms(measures.status),
        "errors": measures.errors,
        "misjudged": measures.misjudged.total(),
        "repeated": measures.repeated,
        "connections": measures.connections,
        **_each(measures, costs),
        "resident MiB": {
            "server": round(costs.server.resident_bytes / 2**20, 1),
            "database": round(costs.database.resident_bytes / 2**20, 1),
            "this client": round(costs.own_bytes / 2**20, 1),
        },
        "database bytes": costs.database_bytes,
        "database bytes per machine": round(costs.database_bytes / options.machines, 1),
        "server starts s": costs.starts_s,
        "server exit codes": costs.exit_codes,
        "audit": audit.told(found),
    }


def _each(measures: Measures, costs: Costs) -> Mapping[str, Any]:
    acked = max(1, measures.acked)
    return {
        "bytes per check-in": {
            "body": round(measures.body_bytes / max(1, measures.said), 1),
            "sent": round(measures.sent_bytes / acked, 1),
            "received": round(measures.received_bytes / acked, 1),
        },
        "cpu ms per check-in": {
            "server": round(costs.server.cpu_s / acked * 1e3, 4),
            "database": round(costs.database.cpu_s / acked * 1e3, 4),
            "this client": round(costs.own_cpu_s / acked * 1e3, 4),
        },
    }


def told_ms(spans: Histogram) -> Mapping[str, float | None]:
    """Quantiles in milliseconds; None where nothing was counted."""
    told = spans.told_ms()
    return told if spans.count else dict.fromkeys(told)


def _answers(measures: Measures) -> Mapping[str, Any]:
    return {
        "outcomes": {
            f"{state.value}: {outcome.value}": number
            for (state, outcome), number in measures.answers.most_common()
        },
        "statuses": {str(status): number for status, number in sorted(measures.statuses.items())},
        "unreached": dict(measures.unreached),
        "unreached in outages": dict(measures.in_outage),
        "bad clients": {
            f"{kind}: {came_of_it}": number
            for (kind, came_of_it), number in sorted(measures.bad.items())
        },
        "misjudged": dict(measures.misjudged),
    }


def _outages(
    options: Options, windows: Sequence[Window], counts: Sequence[int]
) -> Sequence[Mapping[str, Any]]:
    disturbed = [*(begin for begin, _ in windows), options.mix.release_at * options.seconds]
    found = []
    for begin, end in windows:
        upto = min((int(at) for at in disturbed if at > end), default=len(counts))
        told = waves(counts[:upto], int(begin), int(end) + 1, options.mix.interval_s)
        rates = {
            name: None if value is None else round(value, 1) for name, value in asdict(told).items()
        }
        lasted_s = round(end - begin, 1)
        found.append({"began s": round(begin, 1), "lasted s": lasted_s, "check-ins per s": rates})
    return found
