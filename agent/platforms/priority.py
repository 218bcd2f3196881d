"""Stepping back behind other programs, for processor and disk alike.

A system that refuses takes the agent as it is: it is small in any case.
"""

import sys
from contextlib import suppress

import psutil

NICENESS = 10
"""How far, on POSIX systems (nice(2))."""


def step_back() -> None:
    """Lowers the priority of this process and of all threads that it begins from now on."""
    process = psutil.Process()
    with suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
            process.ionice(psutil.IOPRIO_LOW)
        else:
            process.nice(max(process.nice(), NICENESS))
    if sys.platform == "linux":
        with suppress(psutil.Error, OSError):
            process.ionice(psutil.IOPRIO_CLASS_IDLE)
