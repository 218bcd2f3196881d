"""Runs a command that must not outlive the one who started this.

``python -m install.kit.leash COMMAND ...`` starts the command and ends it when this
process's standard input closes. The starter holds the other end of that pipe and need only
keep it open: the system closes it however the starter dies, by ``kill -9`` too, on every
system. The command gets the time to end by itself, then is ended.
"""

import os
import subprocess
import sys
import threading

END_TIMEOUT_S = 20.0
"""Seconds that the command gets to end after it was asked to."""


def main(command: list[str]) -> int:
    """Runs the command; the exit code is its own."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as held:
        threading.Thread(target=_end_with_input, args=(held,), daemon=True).start()
        return held.wait()


def _end_with_input(held: subprocess.Popen[bytes]) -> None:
    # Not by sys.stdin: Python cannot end while a thread holds its buffer.
    while os.read(0, 1):
        pass
    held.terminate()
    try:
        held.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        held.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
