"""Empty databases of the present schema, of every kind, quickly."""

import itertools
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from hypothesis import HealthCheck, settings
from sqlalchemy import Connection

from server.store.engine import migrate

NewDatabase = Callable[[], str]
"""Makes a migrated database without a row in it; its address."""

Fresh = Callable[[], AbstractContextManager[Connection]]
"""Connects to an empty store; nothing of what is done with it is kept."""

SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For examples that share a fixture which gives each of them its own."""


def written(conn: Connection) -> object:
    """What differs after a transaction of this database wrote anything, this one included."""
    if conn.dialect.name == "sqlite":
        raw = conn.connection.dbapi_connection
        pages = conn.exec_driver_sql("PRAGMA data_version").scalar_one()
        return pages, raw.total_changes  # type: ignore[union-attr]
    # A number is given to each transaction that writes, and to no other.
    ids = "SELECT pg_current_xact_id_if_assigned(), pg_snapshot_xmax(pg_current_snapshot())"
    return conn.exec_driver_sql(ids).one()


class Files:
    """SQLite files, each a copy of one that was migrated.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._template = folder / "template.db"

    def database(self) -> str:
        """The address of a new database."""
        if not self._template.exists():
            migrate(f"sqlite:///{self._template}")
        # Its log, lock and index are made beside it, and looked for by tests.
        path = self._folder / str(next(self._numbers)) / "server.db"
        path.parent.mkdir()
        shutil.copy2(self._template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """Removes a database."""
        shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent)
