"""`kill -9` at any moment loses no acknowledged check-in."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("acknowledged", [1, 17, 400])
def test_what_was_acknowledged_before_a_kill_is_there_after_it(
    acknowledged: int, tmp_path: Path
) -> None:
    """Killed while others are under way; every line that came out is in the database."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.store.dying_server", tmp_path],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(acknowledged)]
    process.kill()
    # What it wrote before the kill was acknowledged too; a cut line was not finished.
    lines += [line for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    assert process.wait() == -9
    told: dict[str, int] = {}
    for line in lines:
        name, seq = line.split()
        told[name] = max(told.get(name, 0), int(seq))
    with sqlite3.connect(tmp_path / "server.db") as db:
        kept = dict(db.execute("SELECT machine_id, seq FROM presence"))
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert told
    assert all(kept[name] >= seq for name, seq in told.items())
