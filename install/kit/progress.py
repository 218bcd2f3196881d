"""Steps, told to a person while they run.

On a terminal a step that takes longer than a moment turns a wheel and shows its seconds;
elsewhere it is one plain line, so that a log stays readable. What is told goes to standard
error: standard output belongs to results.
"""

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

MOMENT_S = 1.0
"""Seconds that a step may take without being told."""

_WHEEL = "|/-\\"
_TURN_S = 0.1


class Progress:
    """Tells steps on one stream.

    Attributes:
        stream: Where to; standard error unless told otherwise.
        tell_all: Every step gets its line, however short it was.
    """

    def __init__(self, stream: TextIO | None = None, *, tell_all: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.tell_all = tell_all

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Tells one step from its beginning to its end, and how many seconds it took."""
        begun = time.monotonic()
        over = threading.Event()
        teller = threading.Thread(target=self._turn, args=(text, begun, over), daemon=True)
        teller.start()
        result = "failed"
        try:
            yield
            result = "done"
        finally:
            over.set()
            teller.join()
            self._end(text, result, time.monotonic() - begun)

    def _turn(self, text: str, begun: float, over: threading.Event) -> None:
        if over.wait(MOMENT_S):
            return
        if not self.stream.isatty():
            self._write(f"{text} ...\n")
            return
        for mark in itertools.cycle(_WHEEL):
            self._write(f"\r{mark} {text} ... {time.monotonic() - begun:.0f} s")
            if over.wait(_TURN_S):
                return

    def _end(self, text: str, result: str, seconds: float) -> None:
        if seconds < MOMENT_S and not self.tell_all and result == "done":
            return
        clear = "\r\x1b[K" if self.stream.isatty() else ""
        self._write(f"{clear}{text}: {result} in {seconds:.1f} s\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
