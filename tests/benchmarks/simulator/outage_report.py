"""What an outage came to, as it is told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.simulator import report
from tests.benchmarks.simulator.audit import Findings
from tests.benchmarks.simulator.homecoming import WINDOWS, Homecoming
from tests.benchmarks.simulator.measures import Measures, most, series
from tests.benchmarks.simulator.report import Costs, Doctor, Options
from tests.benchmarks.simulator.viewer import Seen

STATUS_P99_MAX_S = 0.05
"""How long the status of a fleet of any size may take, in seconds, for 99 of 100 looks."""

LATE_P99_MAX_S = 1.0
"""By how much 99 of 100 laptops may be late, in seconds: else it was another load than asked."""

TIMED = frozenset({"status in time", "laptops in time"})
"""What only a machine can hold on which nothing else runs."""


@dataclass(frozen=True)
class Plan:
    """What is asked of an outage.

    Attributes:
        options: The fleet; its seconds are those of the steady time before.
        outage_s: How long nobody listens, in seconds of the laptops.
        return_max_s: How long it is waited for all to come back, in seconds.
    """

    options: Options
    outage_s: float
    return_max_s: float


@dataclass
class Phase:
    """The time before an outage, or that after it.

    Attributes:
        began: Real epoch seconds.
        own_before_s: This process's CPU until then.
        ended: Real epoch seconds; 0 until then.
        measures: What laptops saw of it.
        costs: What it cost.
    """

    began: float
    own_before_s: float
    ended: float = 0.0
    measures: Measures = field(default_factory=Measures)
    costs: Costs = field(default_factory=Costs)

    def look(self) -> None:
        """Takes what the processes cost so far."""
        self.costs.server.look()
        self.costs.database.look()

    def saw(self, seen: Seen) -> None:
        """What somebody saw of the status meanwhile."""
        self.measures.status, self.measures.status_errors = seen.spans, seen.errors


@dataclass(frozen=True)
class Away:
    """The outage itself.

    Attributes:
        tries: Attempts of all laptops while nobody listened.
        lasted_s: How long it lasted, in seconds of the laptops.
        played_s: How long these attempts took to be played, in real seconds.
        made_s: How long the fleet took to be made.
    """

    tries: int
    lasted_s: float
    played_s: float
    made_s: float


@dataclass(frozen=True)
class Outage:
    """All of a run that had an outage.

    Attributes:
        plan: What was asked.
        steady: The time before.
        away: The outage.
        back: The time after.
        home: Who came back.
        found: By the audit.
        doctor: The doctor's word.
    """

    plan: Plan
    steady: Phase
    away: Away
    back: Phase
    home: Homecoming
    found: Findings
    doctor: Doctor


def told(run: Outage) -> dict[str, Any]:
    """All of a run as plain values; its figures are those of the steady time."""
    plan, steady = run.plan, run.steady
    figures = report.figures_of(plan.options, steady.measures, steady.costs, run.found)
    asked = report.scenario_of(plan.options)
    lasts = {"outage s": plan.outage_s, "return max s": plan.return_max_s}
    return {
        "scenario": {**asked, "mix": asked["mix"] | lasts},
        "held": held(run),
        "figures": {**figures, "cores": _cores(steady)},
        "outage": _away(run.away, plan.options.machines),
        "return": _back(run.back, run.home, plan.options),
        "doctor": {"exit_code": run.doctor.exit_code, "said": list(run.doctor.said)},
        "steady: acknowledged by second": series(steady.measures.by_second, plan.options.seconds),
    }


def held(run: Outage) -> dict[str, bool]:
    """What was wanted of the fleet's server, and whether it is so."""
    measures = run.steady.measures
    answered = {status for status, number in measures.statuses.items() if number}
    return {
        "steady without an error": not measures.errors and answered <= {200, 201},
        "status in time": measures.status.quantile(0.99) <= STATUS_P99_MAX_S,
        "laptops in time": measures.late.quantile(0.99) <= LATE_P99_MAX_S,
        "all came back": run.home.is_over,
        "return without an error": not run.back.measures.errors,
        "none lost or doubled": not (run.found.lost or run.found.doubled),
        "no second wave": not run.home.is_second_wave,
        "the doctor finds nothing": run.doctor.exit_code == 0,
    }


def is_well(report: Mapping[str, Any]) -> bool:
    """Whether all held but for what is `TIMED`: that is for whoever reads the figures."""
    return all(each for name, each in report["held"].items() if name not in TIMED)


def _away(away: Away, machines: int) -> Mapping[str, Any]:
    return {
        "lasted s": round(away.lasted_s, 1),
        "attempts": away.tries,
        "attempts of a machine": round(away.tries / machines, 2),
        "played in s": round(away.played_s, 1),
        "fleet made in s": round(away.made_s, 1),
    }


def _back(back: Phase, home: Homecoming, asked: Options) -> Mapping[str, Any]:
    measures = back.measures
    seconds = int(back.costs.seconds) + 1
    returned, counts = series(home.returned, seconds), series(measures.by_second, seconds)
    return {
        "came back": home.returned.total(),
        "missing": home.missing,
        "last came back after s": home.lasted_s,
        "most came back in a second": max(returned, default=0),
        "check-ins": measures.acked,
        "most check-ins in a second": max(counts),
        "fullest window of check-ins, where 1 is steady": _fullest(counts, asked),
        "latency ms": report.told_ms(measures.latency),
        "late ms": report.told_ms(measures.late),
        "status ms": report.told_ms(measures.status),
        "errors": measures.errors,
        "statuses": {str(status): number for status, number in sorted(measures.statuses.items())},
        "unreached": dict(measures.unreached),
        "turned away": {
            "machines that came again": home.waited.count,
            "machines that did not": home.still_away,
            "ms until then": report.told_ms(home.waited),
        },
        "next check-ins": {
            "fullest window, where 1 is steady": round(home.wave, 3),
            "windows of an interval": WINDOWS,
            "in each window": series(home.nexts, max(home.nexts, default=-1) + 1),
        },
        "cores": _cores(back),
        "came back by second": returned,
        "check-ins by second": counts,
    }


def _fullest(counts: Sequence[int], asked: Options) -> float | None:
    interval_s = asked.mix.interval_s
    found = most(counts, max(1, interval_s // WINDOWS))
    return None if found is None else round(found * interval_s / asked.machines, 3)


def _cores(phase: Phase) -> Mapping[str, float]:
    costs = phase.costs
    used = {
        "server": costs.server.cpu_s,
        "database": costs.database.cpu_s,
        "this client": costs.own_cpu_s,
    }
    return {name: round(cpu_s / max(costs.seconds, 1.0), 3) for name, cpu_s in used.items()}
