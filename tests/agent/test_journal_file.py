"""The journal's file: its formats, and a disk that lost its end."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent import digest
from agent.journal import open_journal
from agent.wire import Activity

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "journal"
A, B, C = (digest.of_bytes(each) for each in (b'{"is":"a"}', b'{"is":"b"}', b'{"is":"c"}'))


def laid(folder: Path, format_number: int = 1) -> Path:
    """The golden journal of a format, as a file."""
    path = folder / "journal.db"
    script = (GOLDEN / f"format-{format_number}.sql").read_text("utf-8")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def format_of(path: Path) -> int:
    """The number in a file's header."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_journal_of_format_1_is_upgraded_in_place(tmp_path: Path) -> None:
    """The epoch, what is under way, what waits, the bytes and the last word are all there."""
    path = laid(tmp_path)
    with closing(open_journal(tmp_path)) as journal:
        sent, last = journal.sent(), journal.remembered("check-in")
        assert last is not None
        assert sent == last[0]
        assert journal.remembered("ack") == (b'{"state":"match"}', 1_795_000_062)
        assert journal.wanted() == (A,)
        assert journal.profile(A) == b'{"is":"a"}'
        journal.acknowledge((A,), more_may_follow=False)
        backlog = journal.backlog()
    assert backlog is not None
    assert (backlog.epoch, backlog.seq, backlog.present) == ("14a5d4a55dedc5d1", 3, B)
    assert (backlog.changes, backlog.dropped, backlog.activity) == ((), 0, ())
    assert format_of(path) == 2
    assert not (tmp_path / "journal.damaged.db").exists()


def test_what_an_older_agent_sent_can_be_told_anew(tmp_path: Path) -> None:
    """A resync right after the upgrade loses no change, and activity goes on from there."""
    laid(tmp_path)
    used = Activity(day=20_779, surface="terminal", seconds=5)
    with closing(open_journal(tmp_path)) as journal:
        journal.add_activity([used])
        journal.begin_epoch()
        backlog = journal.backlog()
    assert backlog is not None
    assert [each.profile for each in backlog.changes] == [C, A]
    assert (backlog.present, backlog.activity) == (B, (used,))


def test_an_upgrade_is_done_once(tmp_path: Path) -> None:
    """Two processes of a new agent may open the old file at the same time."""
    laid(tmp_path)
    with closing(open_journal(tmp_path)) as one, closing(open_journal(tmp_path)) as other:
        assert one.sent() == other.sent()


@pytest.mark.parametrize("number", [-1, 3, 2**31 - 1])
def test_a_journal_of_another_format_is_set_aside(tmp_path: Path, number: int) -> None:
    """An agent that is older than the file goes on with a new epoch; the bytes stay."""
    path = laid(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {number}")
    before = path.read_bytes()
    with closing(open_journal(tmp_path)) as journal:
        assert journal.backlog() is None
        assert journal.record(b'{"is":"a"}', 1)
    assert (tmp_path / "journal.damaged.db").read_bytes() == before


def test_a_format_1_file_without_its_tables_is_set_aside(tmp_path: Path) -> None:
    """The number alone makes no journal."""
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("CREATE TABLE other (x)")
        connection.execute("PRAGMA user_version = 1")
    with closing(open_journal(tmp_path)) as journal:
        assert journal.record(b'{"is":"a"}', 1)
