"""Whether the agent grows: many cycles in one process, and what it holds now and then.

``python -m tests.benchmarks.growth CYCLES`` takes the agent's own variables and prints one JSON
object. Every fiftieth cycle speaks to the server. What a process holds after a tenth of the
cycles, its caches full and its modules loaded, is what it may hold at their end.
"""

import gc
import json
import os
import sys
from contextlib import closing
from pathlib import Path

import psutil

from agent import cycle, identity, logs
from agent.cycle import Parts
from agent.exchange import Exchange
from agent.journal import open_journal
from agent.settings import Settings, load

TELL_EVERY = 50
LOOKS = 10
"""How often it is looked at what the process holds."""


def measure(settings: Settings, cycles: int) -> dict[str, list[int]]:
    """What the process holds after each of `LOOKS` parts of its cycles."""
    parts = Parts(settings, dict(os.environ))
    who = identity.load(settings.state_dir)
    held: dict[str, list[int]] = {"resident KiB": [], "files": [], "objects": [], "state bytes": []}
    with closing(open_journal(settings.state_dir)) as journal:
        for number in range(1, cycles + 1):
            telling = who if number % TELL_EVERY == 0 else None
            cycle.cycle(parts, journal, telling, Exchange())
            if number % (cycles // LOOKS) == 0:
                for name, value in _held(settings.state_dir).items():
                    held[name].append(value)
    return held


def _held(state: Path) -> dict[str, int]:
    gc.collect()
    process = psutil.Process()
    return {
        "resident KiB": process.memory_info().rss // 1024,
        "files": process.num_fds(),
        "objects": len(gc.get_objects()),
        "state bytes": sum(path.stat().st_size for path in state.iterdir()),
    }


def main() -> None:
    """Measures by the environment's settings and prints."""
    settings = load(os.environ)
    logs.configure_command(settings)
    sys.stdout.write(json.dumps(measure(settings, int(sys.argv[1]))) + "\n")


if __name__ == "__main__":
    main()
