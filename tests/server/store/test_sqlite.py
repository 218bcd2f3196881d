"""What SQLite does by itself: its file, its lock, its syncs."""

import contextlib
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from server.errors import StoreError
from server.store.engine import migrate, open_engine, writable, writing
from server.store.writer import Writer


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a migrated database."""
    address = f"sqlite:///{tmp_path / 'server.db'}"
    migrate(address)
    return address


def test_the_writers_connection_syncs_every_commit(url: str) -> None:
    """FULL is 2 (https://www.sqlite.org/pragma.html#pragma_synchronous)."""
    engine = open_engine(url)
    with writable(engine) as conn:
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_a_write_transaction_takes_its_lock_at_once(url: str) -> None:
    """So it cannot find at its first write that it read too early."""
    engine = open_engine(url)
    other = sqlite3.connect(engine.url.database or "", timeout=0)
    with writing(engine), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    engine.dispose()


def test_the_database_is_this_users_alone(url: str, tmp_path: Path) -> None:
    """The log beside it too."""
    engine = open_engine(url)
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO counts VALUES ('g', 'match', 1)"))
        files = sorted(tmp_path.iterdir())
        assert [stat.S_IMODE(each.stat().st_mode) for each in files] == [0o600] * len(files)
    engine.dispose()


def test_migrating_twice_changes_no_byte(url: str, tmp_path: Path) -> None:
    """A second run finds its work done."""
    before = (tmp_path / "server.db").read_bytes()
    migrate(url)
    assert (tmp_path / "server.db").read_bytes() == before


def test_a_missing_database_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    """Opening makes nothing."""
    with pytest.raises(StoreError, match="no database") as refused:
        open_engine(f"sqlite:///{tmp_path / 'none.db'}")
    assert "parity-server migrate" in refused.value.advice
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """It is not made: a mistyped path would be."""
    with pytest.raises(StoreError, match=r"folder .* does not exist"):
        migrate(f"sqlite:///{tmp_path / 'none' / 'server.db'}")


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Here a folder stands where the file should be."""
    (tmp_path / "server.db").mkdir()
    with pytest.raises(StoreError, match=r"server\.db") as refused:
        migrate(f"sqlite:///{tmp_path / 'server.db'}")
    assert refused.value.advice


@pytest.mark.parametrize("opened", [migrate, open_engine])
def test_a_file_that_is_no_database_is_told(opened: object, tmp_path: Path) -> None:
    """And is left as it was."""
    path = tmp_path / "server.db"
    path.write_bytes(b"a letter to my aunt " * 100)
    with pytest.raises(StoreError, match="not a database"):
        opened(f"sqlite:///{path}")  # type: ignore[operator]
    assert path.read_bytes() == b"a letter to my aunt " * 100


def test_a_database_without_our_schema_is_told_to_be_migrated(tmp_path: Path) -> None:
    """As one of an older version would be."""
    path = tmp_path / "server.db"
    sqlite3.connect(path).executescript("CREATE TABLE other (x)").connection.close()
    with pytest.raises(StoreError, match="older schema"):
        open_engine(f"sqlite:///{path}")


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_an_address_that_names_no_file_is_told(address: str) -> None:
    """A database in memory would forget what was acknowledged."""
    with pytest.raises(StoreError, match="names no SQLite file"):
        open_engine(address)


@pytest.fixture
def writer(url: str) -> Iterator[Writer]:
    """The writer of a new file."""
    engine = open_engine(url)
    writer = Writer(engine)
    yield writer
    writer.close()
    engine.dispose()


def test_a_full_disk_is_told_as_the_stores_error(url: str, writer: Writer) -> None:
    """SQLite's own limit stands for it: same error, same path, nothing kept."""
    fill = text("INSERT INTO server_keys VALUES (:name, zeroblob(100000))")

    def limited(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count=1")

    def write(conn: Connection) -> None:
        for number in range(100):
            conn.execute(fill, {"name": str(number)})

    writer.run(limited).result()
    with pytest.raises(StoreError, match="full"):
        writer.run(write).result()
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
        assert db.execute("SELECT count(*) FROM server_keys").fetchone() == (0,)
