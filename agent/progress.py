"""Progress on standard error, for whatever takes more than a second.

On a terminal one line that is written over; elsewhere a plain line now and then, so that
a log of an installation stays short.
"""

import time
from collections.abc import Callable
from typing import TextIO

SILENT_S = 1.0
"""Nothing is shown before this, in seconds."""

TERMINAL_EVERY_S = 0.2
"""Seconds between two lines written over each other on a terminal."""

PLAIN_EVERY_S = 5.0
"""Seconds between two plain lines."""

_MB = 1_000_000


class Progress:
    """Told (bytes hashed, bytes in all); call `close` when the work is done."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Shows nothing yet.

        Args:
            stream: Where to.
            clock: Seconds, growing.
        """
        self._stream = stream
        self._terminal = stream.isatty()
        self._clock = clock
        self._next = clock() + SILENT_S
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Shows how far it is, if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (TERMINAL_EVERY_S if self._terminal else PLAIN_EVERY_S)
        text = f"reading Claude Code's bytes: {done // _MB} of {total // _MB} MB"
        self._stream.write(f"\r{text}\x1b[K" if self._terminal else f"{text}\n")
        self._stream.flush()
        self._shown = True

    def close(self) -> None:
        """Takes the line away again."""
        if self._shown and self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        self._shown = False
