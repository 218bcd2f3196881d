"""Runs an installed command with its clock moved, as libfaketime would.

``python shifted.py CLOCK COMMAND ...``: the file CLOCK holds the seconds by which
`time.time` is ahead, as one double, and may be written while the command runs: so "a day
later" can be played without waiting, and without a setting for it in the product.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path

SHAPE = struct.Struct("<d")


def write(clock: Path, ahead_s: float) -> None:
    """Moves the clock of the command that runs with this file."""
    with clock.open("r+b" if clock.exists() else "w+b") as file:
        file.write(SHAPE.pack(ahead_s))


def main() -> None:
    """Moves the clock, then becomes the command."""
    clock, *command = sys.argv[1:]
    with Path(clock).open("rb") as file:
        ahead = mmap.mmap(file.fileno(), SHAPE.size, access=mmap.ACCESS_READ)
    real = time.time
    time.time = lambda: real() + SHAPE.unpack(ahead[:])[0]
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
