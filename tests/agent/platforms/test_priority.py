"""Stepping back, in a process of its own: a priority that was given up does not come back."""

import os
import subprocess
import sys

import psutil

from agent.platforms.priority import NICENESS

STEP = """
import threading, psutil
from agent.platforms.priority import step_back
step_back()
step_back()
found = []
def look():
    found.append(psutil.Process(threading.get_native_id()).nice())
thread = threading.Thread(target=look)
thread.start()
thread.join()
me = psutil.Process()
print(me.nice(), found[0], me.ionice()[0] if hasattr(me, "ionice") else "")
"""


def stepped(*prefix: str) -> list[str]:
    """What a process that steps back says of itself."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", STEP],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


def test_a_process_steps_back_with_its_threads() -> None:
    """For the processor, and on Linux for the disk; doing it twice changes nothing."""
    mine = max(psutil.Process().nice(), NICENESS)
    own, thread, *disk = stepped()
    assert (int(own), int(thread)) == (mine, mine)
    if sys.platform == "linux":
        assert int(disk[0]) == psutil.IOPRIO_CLASS_IDLE


def test_a_process_that_is_further_back_stays_there() -> None:
    """A service manager may have put it there."""
    assert int(stepped("nice", "-n", "19")[0]) == 19
