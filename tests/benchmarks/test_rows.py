"""Holds that a row of a machine cannot be written unnoticed, and check-ins are no such."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update

from server.store.engine import open_engine, writing
from server.store.tables import machines, presence, stands
from tests.benchmarks import fleets, rows

MACHINES = 5


def _check_in(conn: Connection) -> None:
    conn.execute(update(presence).values(last_seen=presence.c.last_seen + 9, seq=7))


def _move_a_timer(conn: Connection) -> None:
    only = machines.c.id == fleets.machine_id(1)
    conn.execute(update(machines).where(only).values(due_at=machines.c.due_at + 1))


def _take_the_short_way(conn: Connection) -> None:
    conn.execute(update(presence).values(key=None))


def _except_one(conn: Connection) -> None:
    conn.execute(insert(stands).values(machine_id=fleets.machine_id(1), at=1))


@pytest.mark.parametrize(
    ("change", "number"),
    [(_check_in, 0), (_move_a_timer, 1), (_take_the_short_way, MACHINES), (_except_one, 1)],
)
def test_each_row_that_was_written_is_counted(
    change: Callable[[Connection], None], number: int, tmp_path: Path
) -> None:
    """Of a machine, its presence and its histories; unchanged check-ins are left out."""
    made = fleets.make(tmp_path / "data", MACHINES, 2)
    engine = open_engine(made.url)
    with engine.connect() as conn:
        before = rows.of_machines(conn)
    with writing(engine) as conn:
        change(conn)
    with engine.connect() as conn:
        assert rows.written(before, rows.of_machines(conn)) == number
    engine.dispose()
