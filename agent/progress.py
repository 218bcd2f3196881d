"""Progress on standard error, for whatever takes more than a second.

On a terminal one line that is written over; elsewhere, as in the log of an installation, a
plain line at the beginning and one at the end.
"""

import time
from collections.abc import Callable
from typing import TextIO

SILENT_S = 1.0
"""Nothing is shown before this, in seconds."""

TERMINAL_EVERY_S = 0.2
"""Seconds between two lines written over each other on a terminal."""

_MB = 1_000_000
_READING = "reading Claude Code's bytes"


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
        self._next = now + TERMINAL_EVERY_S
        if self._terminal:
            self._write(f"\r{_READING}: {done // _MB} of {total // _MB} MB\x1b[K")
        elif not self._shown:
            self._write(f"{_READING} ...\n")
        self._shown = True

    def close(self) -> None:
        """Takes the line away again, or says that the work is done."""
        if self._shown:
            self._write("\r\x1b[K" if self._terminal else f"{_READING}: done\n")
        self._shown = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
