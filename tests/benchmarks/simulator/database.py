"""The database of a run: a SQLite file in the server's process, or a PostgreSQL of its own.

The PostgreSQL is that of the tests with what a test does without: it waits for the disk, keeps
its tables in memory, and cleans up after itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text

DatabaseKind = Literal["sqlite", "postgresql"]

_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "autovacuum": "on",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True)
class Database:
    """Where a run keeps what the server is told.

    Attributes:
        kind: Of it.
        url: Its address; None for a file in the server's data folder.
        pid: Of its own process; None where it is in the server's.
    """

    kind: DatabaseKind
    url: str | None = None
    pid: int | None = None


@contextmanager
def opened(kind: DatabaseKind) -> Iterator[Database]:
    """An empty database, gone afterwards."""
    if kind == "sqlite":
        yield Database(kind)
        return
    # Here, since it needs the extra `postgres`.
    from tests.postgres import Postgres  # noqa: PLC0415

    cluster = Postgres()
    try:
        data = cluster.folder / "data"
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        cluster.start()
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        yield Database(kind, cluster.empty(), pid)
    finally:
        cluster.remove()


def size(conn: Connection) -> int:
    """Bytes of a database; of SQLite's as they are once its log was carried over."""
    if conn.dialect.name == "postgresql":
        return int(conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages, page_bytes = (
        int(conn.execute(text(f"PRAGMA {name}")).scalar_one())
        for name in ("page_count", "page_size")
    )
    return pages * page_bytes
