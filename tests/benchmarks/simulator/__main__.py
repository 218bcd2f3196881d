"""A fleet that lives: ``python -m tests.benchmarks.simulator --machines N --seconds S``.

Drives a real server over HTTP with the agent's own exchange, many laptops in one process, and
prints what came of it as JSON (``--out FILE`` keeps it). Exits with 1 if an acknowledged check-in
was lost or counted twice, or anything else went wrong that never may; so does ``compare`` if the
second of two kept results is worse than the first.

    python -m tests.benchmarks.simulator --machines 2000 --seconds 60 --interval 20 --out B.json
    python -m tests.benchmarks.simulator compare A.json B.json --threshold 0.2
"""

import argparse
import json
import resource
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from tests.benchmarks.__main__ import machine
from tests.benchmarks.simulator import compare, database, run, scenario
from tests.benchmarks.simulator.report import Options, is_well
from tests.benchmarks.simulator.scenario import Mix, ScenarioError

DEFAULT = "default"

_FILES_BESIDE = 256


def main(words: list[str]) -> int:
    """Runs or compares; the exit code."""
    return _compare(words[1:]) if words[:1] == ["compare"] else _run(words)


def _run(words: list[str]) -> int:
    # Ended like this, a run still ends all that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.simulator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--machines", type=int, default=1_000, help="size of the fleet")
    parser.add_argument("--seconds", type=int, default=60, help="length of the run")
    parser.add_argument("--out", type=Path, help="a file for the result")
    parser.add_argument("--seed", type=int, default=1, help="of all chances")
    asked = parser.parse_args(words)
    try:
        options = options_of(asked, asked.machines, asked.seconds, asked.seed)
    except (ScenarioError, OSError) as error:
        parser.error(str(error))
    with tempfile.TemporaryDirectory(prefix="parity-simulator-") as folder:
        report = {"measured on": machine(), "command": " ".join(words)}
        report |= run.run(Path(folder), options)
    told = json.dumps(report, indent=2) + "\n"
    if asked.out is not None:
        asked.out.write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    return 0 if is_well(report) else 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what a fleet is like."""
    parser.add_argument("--mix", default=DEFAULT, help=f"a TOML file, or {DEFAULT}")
    parser.add_argument("--interval", type=int, help="seconds between two check-ins of a machine")
    parser.add_argument("--profiles-are", choices=get_args(scenario.Sharing), help="how distinct")
    parser.add_argument("--database", choices=get_args(database.DatabaseKind), default="sqlite")
    parser.add_argument("--connections", type=int, default=256, help="most at a time")
    parser.add_argument("--keep-alive", action="store_true", help="as through a proxy")


def options_of(asked: argparse.Namespace, machines: int, seconds: int, seed: int = 1) -> Options:
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


def _check_files(connections: int) -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not 1 <= connections <= files - _FILES_BESIDE:
        raise ScenarioError(
            f"{connections} connections: from 1 to {files - _FILES_BESIDE} by this shell's"
            " limit of open files (see `ulimit -n`)"
        )


def _compare(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.simulator compare")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="[FIGURE=]PART",
        help=f"by which part a figure may be worse; {compare.THRESHOLD} if none is given",
    )
    asked = parser.parse_args(words)
    try:
        before, after = (
            json.loads(file.read_text(encoding="utf-8")) for file in (asked.before, asked.after)
        )
        found = compare.compare(before, after, compare.thresholds(asked.threshold))
    except (compare.NotComparableError, ValueError, OSError) as error:
        parser.error(str(error))
    for each in found:
        print(each)
    return 1 if any(each.is_worse for each in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
