"""The bare loop of the database's own limit does what a server's batches do."""

import sqlite3
from pathlib import Path

from tests.benchmarks import fleets, limit


def test_every_machine_is_touched_in_turn_and_all_of_it_is_kept(tmp_path: Path) -> None:
    """Batches of two over three machines: none is left out, and none goes first twice."""
    fleet = fleets.make(tmp_path / "fleet", machine_count=3, profile_count=2)
    found = limit.measure(fleet, size=2, seq=fleets.SEQ + 1, seconds=0.2, pid=None)
    assert found["check-ins in a batch"] == 2
    assert found["per s"] > 0
    assert found["cpu ms"] > 0
    with sqlite3.connect(fleet.folder / "server.db") as db:
        seqs = [seq for (seq,) in db.execute("SELECT seq FROM presence")]
    assert min(seqs) > fleets.SEQ
    assert max(seqs) - min(seqs) <= 1
