"""Measures the targets of speed and size, as ratios in one run: ``python -m tests.benchmarks``.

Prints progress on standard error and one JSON object on standard output. Each part starts
real processes through the installed commands, in a folder of its own, and ends by itself.
The parts need ``wrk``, ``strace`` and ``openssl`` (Debian packages of these names).
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import intake, judging, laptop
from tests.benchmarks.simulator import options as simulated
from tests.benchmarks.simulator import run as simulator

Part = Callable[[Path, argparse.Namespace], Mapping[str, Any]]

PARTS: Mapping[str, Part] = {
    "intake": intake.measure,
    "judging": judging.measure,
    "laptop": laptop.measure,
    "simulator": simulator.measure,
}


def main() -> None:
    """Runs the parts that were asked for and prints their figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="only this part")
    parser.add_argument("--machines", type=int, default=100_000, help="size of the fleet")
    parser.add_argument("--profiles", type=int, default=1_000, help="distinct profiles of it")
    parser.add_argument("--rounds", type=int, default=5, help="alternating runs of the intake")
    parser.add_argument("--seconds", type=int, default=5, help="length of one of them")
    parser.add_argument("--idle-seconds", type=int, default=60, help="how long to watch the agent")
    parser.add_argument("--cycles", type=int, default=5_000, help="in which the agent may not grow")
    parser.add_argument("--simulated-seconds", type=int, default=60, help="how long a fleet lives")
    simulated.add(parser)
    intake.add(parser)
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine(), "command": " ".join(sys.argv[1:])}
    for name in options.only or sorted(PARTS):
        print(f"{name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="parity-benchmark-") as folder:
            figures[name] = PARTS[name](Path(folder), options)
    json.dump(figures, sys.stdout, indent=2)
    print()


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    main()
