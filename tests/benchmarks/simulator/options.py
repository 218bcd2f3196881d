"""What a run can be asked for on a command line."""

import argparse
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from tests.benchmarks.simulator import database, scenario
from tests.benchmarks.simulator.outage_report import Plan
from tests.benchmarks.simulator.report import Options
from tests.benchmarks.simulator.scenario import Mix, ScenarioError

DEFAULT = "default"
"""The mix that is no file."""

RETURN_INTERVALS = 2
RETURN_MORE_S = 60
"""How long all have to come back by default: longer than the agents' longest back-off."""

_FILES_BESIDE = 256


def add(parser: argparse.ArgumentParser) -> None:
    """The options that say what a fleet is like."""
    parser.add_argument("--mix", default=DEFAULT, help=f"a TOML file, or {DEFAULT}")
    parser.add_argument("--interval", type=int, help="seconds between two check-ins of a machine")
    parser.add_argument("--profiles-are", choices=get_args(scenario.Sharing), help="how distinct")
    parser.add_argument("--database", choices=get_args(database.DatabaseKind), default="sqlite")
    parser.add_argument("--connections", type=int, default=256, help="most at a time")
    parser.add_argument("--keep-alive", action="store_true", help="as through a proxy")


def read(asked: argparse.Namespace, machines: int, seconds: int, seed: int = 1) -> Options:
    """What is asked of a run.

    Raises:
        ScenarioError: Something of it cannot be used.
        OSError: The mix cannot be read.
    """
    mix = Mix()
    if asked.mix != DEFAULT:
        mix = scenario.read(Path(asked.mix).read_text(encoding="utf-8"))
    given: dict[str, Any] = {"interval_s": asked.interval, "profiles": asked.profiles_are}
    mix = replace(mix, **{name: value for name, value in given.items() if value is not None})
    if machines < 1 or seconds < 1:
        raise ScenarioError("a run takes at least one machine and one second")
    _check_files(asked.connections)
    return Options(
        machines, seconds, mix, asked.database, asked.connections, asked.keep_alive, seed
    )


def add_outage(parser: argparse.ArgumentParser) -> None:
    """The options that say how an outage goes; its mix is that of a steady fleet."""
    parser.set_defaults(mix=scenario.MIXES / "steady.toml")
    parser.add_argument("--steady", type=int, default=600, help="seconds before the outage")
    parser.add_argument(
        "--outage", type=float, default=1_800, help="seconds of the laptops that it lasts"
    )
    parser.add_argument(
        "--return-max", type=float, help="most seconds until all are back; by default two intervals"
    )


def read_outage(asked: argparse.Namespace) -> Plan:
    """What is asked of an outage.

    Raises:
        ScenarioError: Something of it cannot be used.
        OSError: The mix cannot be read.
    """
    wanted = read(asked, asked.machines, asked.steady, asked.seed)
    mix = wanted.mix
    if mix.outages or mix.release_at < 1 or mix.clones or mix.bad_per_s or mix.slow:
        raise ScenarioError(f"{asked.mix}: an outage befalls a fleet that nothing else befalls")
    if not mix.status_every_s:
        raise ScenarioError(f"{asked.mix}: somebody has to look at the status: status_every_s is 0")
    return_max_s = asked.return_max
    if return_max_s is None:
        return_max_s = RETURN_INTERVALS * mix.interval_s + RETURN_MORE_S
    if not 0 < asked.outage <= scenario.DAY_S or not 0 < return_max_s <= scenario.DAY_S:
        raise ScenarioError("an outage and the return from it take some seconds, a day at most")
    return Plan(wanted, asked.outage, return_max_s)


def _check_files(connections: int) -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not 1 <= connections <= files - _FILES_BESIDE:
        raise ScenarioError(
            f"{connections} connections: from 1 to {files - _FILES_BESIDE} by this shell's"
            " limit of open files (see `ulimit -n`)"
        )
