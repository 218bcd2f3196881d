"""A fleet that lives: ``python -m tests.benchmarks.simulator --machines N --seconds S``.

Drives a real server over HTTP with the agent's own exchange, many laptops in one process, and
prints what came of it as JSON (``--out FILE`` keeps it). Exits with 1 if an acknowledged check-in
was lost or counted twice, or anything else went wrong that never may; so does ``compare`` if the
second of two kept results is worse than the first.

    python -m tests.benchmarks.simulator --machines 2000 --seconds 60 --interval 20 --out B.json
    python -m tests.benchmarks.simulator outage --machines 300 --interval 4 --steady 4 --outage 8
    python -m tests.benchmarks.simulator compare A.json B.json --threshold 0.2

``outage`` is a run of its own: steady, then no server for half an hour of the laptops' time,
which is not waited for, then all of them back.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.__main__ import machine
from tests.benchmarks.simulator import compare, options, outage, outage_report, run
from tests.benchmarks.simulator.report import as_text, is_well
from tests.benchmarks.simulator.scenario import ScenarioError

COMMAND = "python -m tests.benchmarks.simulator"


def main(words: list[str]) -> int:
    """Runs or compares; the exit code."""
    # Ended like this, a run still ends all that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    others = {"compare": _compare, "outage": _outage}
    return others[words[0]](words[1:]) if words and words[0] in others else _run(words)


def _run(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.simulator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add(parser)
    parser.add_argument("--seconds", type=int, default=60, help="length of the run")
    asked = parser.parse_args(words)
    try:
        wanted = options.read(asked, asked.machines, asked.seconds, asked.seed)
    except (ScenarioError, OSError) as error:
        parser.error(str(error))
    told = _told(words, asked.out, lambda folder: run.run(folder, wanted))
    return 0 if is_well(told) else 1


def _outage(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.simulator outage")
    _add(parser)
    options.add_outage(parser)
    asked = parser.parse_args(words)
    try:
        plan = options.read_outage(asked)
    except (ScenarioError, OSError) as error:
        parser.error(str(error))
    told = _told(["outage", *words], asked.out, lambda folder: outage.run(folder, plan))
    return 0 if outage_report.is_well(told) else 1


def _add(parser: argparse.ArgumentParser) -> None:
    options.add(parser)
    parser.add_argument("--machines", type=int, default=1_000, help="size of the fleet")
    parser.add_argument("--out", type=Path, help="a file for the result")
    parser.add_argument("--seed", type=int, default=1, help="of all chances")


def _told(
    words: list[str], out: Path | None, run: Callable[[Path], Mapping[str, Any]]
) -> Mapping[str, Any]:
    report = {"measured on": machine(), "command": " ".join((COMMAND, *words))}
    with tempfile.TemporaryDirectory(prefix="parity-simulator-") as folder:
        report |= run(Path(folder))
    text = as_text(report)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return report


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
