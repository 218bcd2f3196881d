"""Which of several servers on one database does the jobs that one alone may do.

It is the one that has a lock of the database, by a connection of its own. Who dies lets go of
it at once; a host that vanished, once its silence was noticed, within half a minute
(`server.store.postgres.KEEPALIVE_S`). Everybody else tries again each second. On SQLite the
only server always leads.

Before each job it is asked whether that connection still lives. A server that hung in the
midst of one, and lost the lock meanwhile, is held back in the database: who begins to lead
draws a *term*, and each transaction of a leader's job begins with `Leader.check`, which
compares it. Transactions that write go by turns, so that none of an old term can follow one
of the new.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import structlog
from sqlalchemy import Connection, Engine

from server.errors import StoreError
from server.store.engine import UNABLE, kind_of
from server.store.following import numbers, renumber
from server.store.writer import Writer

TRY_EVERY_S = 1.0
"""Seconds between two attempts to lead."""

_log = structlog.stdlib.get_logger("server.leader")


class Leader:
    """Whether this server leads.

    Args:
        engine: The database.
        writer: Writes the term.
    """

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer
        self._one_at_a_time = threading.Lock()
        self._held = ExitStack()
        self._lasts: Callable[[], bool] | None = None
        self._term: int | None = None
        self._tried_at: float | None = None
        self._told: bool | None = None

    def look(self) -> None:
        """Tries to lead if nobody does, and logs what became of it if that is new.

        Raises:
            StoreError: As `leads`.
        """
        leads = self.leads()
        if leads != self._told:
            _log.info("leads" if leads else "follows")
        self._told = leads

    def leads(self) -> bool:
        """Whether it leads now; tries to, if nobody does.

        Raises:
            StoreError: The database could not keep that it begins to.
        """
        with self._one_at_a_time:
            if self._lasts is not None and self._lasts():
                return True
            self._let_go()
            return self._try()

    def check(self, conn: Connection) -> None:
        """Ends a transaction of a leader's job before its work, where this server leads no more.

        Raises:
            StoreError: So it is; perhaps none does, for a moment.
        """
        if self._term is None or numbers(conn).term != self._term:
            raise StoreError(
                "this server does not lead any more",
                advice="nothing: the one that leads does the jobs",
            )

    def close(self) -> None:
        """Lets another server lead."""
        with self._one_at_a_time:
            self._let_go()
            self._tried_at = float("inf")

    def _try(self) -> bool:
        if self._tried_at is not None and time.monotonic() - self._tried_at < TRY_EVERY_S:
            return False
        self._tried_at = time.monotonic()
        try:
            lasts = self._held.enter_context(kind_of(self._engine).leading(self._engine))
        except UNABLE:
            return False  # who reads or writes tells so
        if lasts is None:
            self._held.close()
            return False
        try:
            self._term = self._writer.run(lambda conn: renumber(conn, "term")).result()
        except StoreError:
            self._held.close()
            raise
        self._lasts = lasts
        return True

    def _let_go(self) -> None:
        self._lasts = self._term = None
        self._held.close()
