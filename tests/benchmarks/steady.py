"""Unchanged check-ins at a steady rate, until standard input ends.

``python -m tests.benchmarks.steady URL TOKENS RATE SEQ`` is a process of its own, so that what it
does is in nobody's way who measures something else. A check-in is due at its time whether or
not the one before was answered, and its time counts from then: a stall is told by all whom it
kept waiting. It prints when each was due (seconds since the epoch) and how long it took, and how
many failed.
"""

import http.client
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from agent import __version__
from tests.benchmarks.fleets import EPOCH, Fleet
from tests.benchmarks.kept import Took, took

CONNECTIONS = 128
"""So many that even check-ins of half a second each hold nobody up at 200 a second."""
TIMEOUT_S = 60

Timed = tuple[float, float]
"""When a check-in was due, and how many seconds it took."""


@dataclass
class Steady:
    """What came of steady check-ins; filled when they have ended.

    Attributes:
        times: Of every good answer.
        errors: How many there were beside.
    """

    times: Sequence[Timed] = ()
    errors: int = 0

    def between(self, begin: float, end: float) -> Took:
        """Those due within a span of time; errors of any time."""
        return took([each for due, each in self.times if begin <= due <= end], self.errors)


@contextmanager
def steady(url: str, fleet: Fleet, rate: int, seq: int) -> Iterator[Steady]:
    """Check-ins beside what is done within; each machine in turn.

    Args:
        url: Of the server.
        fleet: Whose machines they are.
        rate: How many a second.
        seq: Of each machine's first one; more than it ever had.
    """
    words = (url, fleet.tokens, str(rate), str(seq))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.steady", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it says that it begins
    found = Steady()
    try:
        yield found
    finally:
        said, _ = process.communicate(timeout=2 * TIMEOUT_S)
    told = json.loads(said)
    found.times, found.errors = [(due, took_s) for due, took_s in told["times"]], told["errors"]


@dataclass
class _Load:
    """The clients, which share one plan."""

    host: str
    machines: Sequence[Sequence[str]]
    rate: int
    seq: int
    begin: float = field(default_factory=time.time)
    over: threading.Event = field(default_factory=threading.Event)
    times: list[Timed] = field(default_factory=list)
    errors: int = 0

    def client(self, first: int) -> None:
        """Sends every `CONNECTIONS`th check-in, over a connection of its own."""
        conn = http.client.HTTPConnection(self.host, timeout=TIMEOUT_S)
        for number in itertools.count(first, CONNECTIONS):
            due = self.begin + number / self.rate
            if self.over.wait(max(0.0, due - time.time())):
                break
            try:
                self._send(conn, number)
                self.times.append((due, time.time() - due))
            except (OSError, http.client.HTTPException, ValueError):
                conn.close()
                self.errors += 1
        conn.close()

    def _send(self, conn: http.client.HTTPConnection, number: int) -> None:
        again, at = divmod(number, len(self.machines))
        token, digest = self.machines[at]
        body = {"agent": __version__, "clock": int(time.time()), "epoch": EPOCH}
        body |= {"profile": digest, "seq": self.seq + again, "wire": 1}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        conn.request("POST", "/v1/check-ins", json.dumps(body), headers)
        answer = conn.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise ValueError(answer.status)


def main(url: str, tokens: str, rate: str, seq: str) -> None:
    """Sends until standard input ends, then prints."""
    with open(tokens, encoding="ascii") as file:  # noqa: PTH123 - as short as a Path
        machines = [line.split() for line in file]
    load = _Load(urlsplit(url).netloc, machines, int(rate), int(seq))
    clients = [threading.Thread(target=load.client, args=(at,)) for at in range(CONNECTIONS)]
    for each in clients:
        each.start()
    print("begun", flush=True)
    sys.stdin.read()
    load.over.set()
    for each in clients:
        each.join()
    json.dump({"times": load.times, "errors": load.errors}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
