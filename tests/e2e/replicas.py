"""Several servers on one PostgreSQL, each at the end of a cable of its own."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.e2e.cut import Cable
from tests.e2e.harness import Server
from tests.postgres import Postgres

_LEADER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s
"""
_LEADER_LOCK = (0x7061_7269, 0x7479_0003)
"""As `server.store.postgres_locks` has it, in halves."""


class Replicas:
    """Servers that share a database, all running; a context manager that ends them.

    Args:
        folder: Theirs.
        cluster: Where their database is made; it runs.
        count: How many there are.
        settings: Of each, as `Server` has them.

    Attributes:
        database: The database's address, past all cables.
        servers: All of them.
    """

    def __init__(
        self, folder: Path, cluster: Postgres, count: int, **settings: str | int | Path
    ) -> None:
        self.database = cluster.empty()
        self._cables = [Cable(cluster.socket) for _ in range(count)]
        self._folder = folder
        self._settings = settings
        self._open = ExitStack()
        self.servers: list[Server] = []

    def cable(self, server: Server) -> Cable:
        """What a server reaches the database by."""
        return self._cables[self.servers.index(server)]

    def leader(self) -> Server | None:
        """Which one does the jobs; None while none does, or the database is away."""
        try:
            with psycopg.connect(self.database, autocommit=True) as conn:
                row = conn.execute(_LEADER, _LEADER_LOCK).fetchone()
        except psycopg.OperationalError:
            return None
        return next((each for each in self.servers if row and each.folder.name == row[0]), None)

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            for number, cable in enumerate(self._cables, 1):
                opened.enter_context(cable)
                self.servers.append(self._server(f"replica-{number}", cable))
            first, *others = self.servers
            first.prepare()
            for each in others:
                for file in ("secret", "token"):
                    shutil.copy(first.folder / file, each.folder / file)
            for each in self.servers:
                opened.enter_context(each)
            self._open = opened.pop_all()
        return self

    def _server(self, name: str, cable: Cable) -> Server:
        database = self.database.rpartition("?")[0].rpartition("/")[2]
        url = f"postgresql://postgres@127.0.0.1:{cable.port}/{database}?application_name={name}"
        return Server(self._folder / name, database_url=url, **self._settings)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._open.close()
