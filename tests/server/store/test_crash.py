"""`kill -9` at any moment loses no acknowledged check-in."""

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from server.store.engine import open_engine, reading
from server.store.tables import presence
from tests.postgres import Postgres

ROOT = Path(__file__).parents[3]


def started(url: str) -> subprocess.Popen[str]:
    """A process that takes check-ins and tells each acknowledged one."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.server.store.dying_server", url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def ended(process: subprocess.Popen[str], lines: list[str]) -> dict[str, int]:
    """The highest acknowledged seq of each machine, of all that came out."""
    assert process.stdout is not None
    # What it wrote before its end was acknowledged too; a cut line was not finished.
    lines += [line for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    told: dict[str, int] = {}
    # It logs to the same place when the database goes away.
    for line in (each for each in lines if each.startswith("acknowledged ")):
        _, name, seq = line.split()
        told[name] = max(told.get(name, 0), int(seq))
    assert told
    return told


def kept(url: str) -> dict[str, int]:
    """The seq of each machine as it is stored."""
    engine = open_engine(url)
    with reading(engine) as conn:
        rows = conn.execute(select(presence.c.machine_id, presence.c.seq)).all()
    engine.dispose()
    return {row.machine_id: row.seq for row in rows}


@pytest.mark.parametrize("acknowledged", [1, 17, 400])
def test_what_was_acknowledged_before_a_kill_is_there_after_it(
    acknowledged: int, database: str
) -> None:
    """Killed while others are under way; every line that came out is in the database."""
    process = started(database)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(acknowledged)]
    process.kill()
    told = ended(process, lines)
    assert process.wait() == -9
    stored = kept(database)
    assert all(stored[name] >= seq for name, seq in told.items())
    if database.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def mortal() -> Iterator[Postgres]:
    """A PostgreSQL that may die."""
    server = Postgres().start()
    yield server
    server.remove()


def test_what_was_acknowledged_before_the_database_died_is_there_after_it(
    mortal: Postgres,
) -> None:
    """All of its processes are gone at once; it recovers from its log."""
    url = mortal.database()
    process = started(url)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(200)]
    mortal.stop("immediate")
    # The first refusal ends it.
    told = ended(process, lines)
    assert process.wait() != 0
    mortal.start()
    stored = kept(url)
    assert all(stored[name] >= seq for name, seq in told.items())
