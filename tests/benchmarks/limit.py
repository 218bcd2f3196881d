"""What the database alone can do: the very statements of a batch, committed back to back.

A bare loop in this process, without HTTP, threads or anything else of a server; each batch is
durable before the next begins. The difference to a server's figure is what the server costs.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, select

from server.store import batches
from server.store.batches import Unchanged
from server.store.engine import open_engine, writable
from server.store.tables import presence
from tests.benchmarks.fleets import Fleet
from tests.benchmarks.simulator.meter import Meter, own_cpu_s


def measure(
    fleet: Fleet, size: int, seq: int, seconds: float, pid: int | None
) -> Mapping[str, float]:
    """Check-ins a second and the CPU of one.

    Args:
        fleet: Whose rows are touched, one after another; no server may run on them.
        size: Check-ins in a batch.
        seq: Above every machine's.
        seconds: How long.
        pid: Of the database's own process, if it has one.
    """
    engine, meter, now = open_engine(fleet.url), Meter(), int(time.time())
    if pid is not None:
        meter.watch(pid)
    try:
        with writable(engine) as conn:
            arrived = _batches(_rows(conn), size, seq)
            cpu_s, began, done = own_cpu_s(), time.monotonic(), 0
            while not done or time.monotonic() < began + seconds:
                with conn.begin():
                    answered = batches.touch(conn, next(arrived), now)
                assert len(answered) == size, "the short way did not take a whole batch"
                done += size
            lasted_s, cpu_s = time.monotonic() - began, own_cpu_s() - cpu_s
        meter.look()
    finally:
        engine.dispose()
    return {
        "check-ins in a batch": size,
        "per s": round(done / lasted_s),
        "cpu ms": round((cpu_s + meter.cpu_s) / done * 1e3, 4),
    }


def _rows(conn: Connection) -> Sequence[tuple[str, str | None]]:
    with conn.begin():
        found = conn.execute(select(presence.c.machine_id, presence.c.key))
        # Not in the order of the table: laptops come in any order.
        return sorted(((row.machine_id, row.key) for row in found), key=lambda row: row[0][::-1])


def _batches(
    rows: Sequence[tuple[str, str | None]], size: int, seq: int
) -> Iterator[Sequence[Unchanged]]:
    for first in itertools.count(0, size):
        numbers = range(first, first + size)
        yield [(*rows[each % len(rows)], seq + each // len(rows)) for each in numbers]
