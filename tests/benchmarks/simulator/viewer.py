"""Somebody who looks at the status: a process of its own, which waits for nobody but the server.

In the process that drives the laptops, a look would wait for its turn there, and tell how busy
the client is. ``python -m tests.benchmarks.simulator.viewer URL SECONDS`` reads a viewer's token
from the first line of its standard input, looks every so many seconds until that ends, and
prints a line of JSON for each look.
"""

import contextlib
import http.client
import select
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec

from tests.benchmarks.simulator.measures import Histogram

TIMEOUT_S = 30.0
END_TIMEOUT_S = 2 * TIMEOUT_S
ROOT = Path(__file__).resolve().parents[3]


class Look(msgspec.Struct, frozen=True):
    """One look at the status.

    Attributes:
        at: When it began; epoch seconds.
        took_s: Until the whole answer was there, a connection of its own included.
        status: Of HTTP; 0 without an answer.
    """

    at: float
    took_s: float
    status: int


@dataclass(frozen=True)
class Seen:
    """What a viewer saw in some time.

    Attributes:
        spans: How long good answers took.
        errors: Looks without one.
    """

    spans: Histogram
    errors: int


def seen(looks: Iterable[Look], begins: float, ends: float) -> Seen:
    """The looks that began and ended within a time. Pure."""
    found = [each for each in looks if begins <= each.at and each.at + each.took_s <= ends]
    spans = Histogram()
    for each in found:
        if each.status == http.HTTPStatus.OK:
            spans.add(each.took_s)
    return Seen(spans, len(found) - spans.count)


class Viewer:
    """Somebody who looks; a context manager that ends it.

    Args:
        url: Of the server.
        token: A viewer's.
        every_s: Seconds between two looks.
        file: Of its own, for what it sees.

    Attributes:
        pid: Of its process.
    """

    def __init__(self, url: str, token: str, every_s: float, file: Path) -> None:
        self._file = file
        with file.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, url, str(every_s)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=out,
            )
        self.pid = self._process.pid
        assert self._process.stdin is not None
        self._process.stdin.write(f"{token}\n".encode())
        self._process.stdin.flush()

    def looks(self) -> tuple[Look, ...]:
        """All looks so far that have ended."""
        lines = self._file.read_bytes().splitlines(keepends=True)
        whole = (line for line in lines if line.endswith(b"\n"))
        return tuple(msgspec.json.decode(line, type=Look) for line in whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=END_TIMEOUT_S)


def _look(url: str, token: str) -> Look:
    split = urlsplit(url)
    at, begin, status = time.time(), time.perf_counter(), 0
    link = http.client.HTTPConnection(split.hostname or "", split.port, timeout=TIMEOUT_S)
    with contextlib.closing(link), contextlib.suppress(OSError, http.client.HTTPException):
        link.request("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"})
        answer = link.getresponse()
        answer.read()
        status = answer.status
    return Look(at, time.perf_counter() - begin, status)


def main() -> None:
    """Looks until standard input ends."""
    url, every_s = sys.argv[1], float(sys.argv[2])
    token = sys.stdin.readline().strip()
    due = time.monotonic()
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        sys.stdout.buffer.write(msgspec.json.encode(_look(url, token)) + b"\n")
        sys.stdout.buffer.flush()
        due = max(due + every_s, time.monotonic())


if __name__ == "__main__":
    main()
