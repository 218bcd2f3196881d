"""The one thread that writes, and the promise that it keeps.

Work is a function of an open connection. Each runs in a transaction of its own, in the
order of asking; its future resolves after the commit was synced, and with the result, so
what a future has told, a crash cannot take back. Work that fails changes nothing. Who has
much to write asks in slices of at most 50 ms, and check-ins go in between.

Every other thread reads, by connections that cannot write. Where a database is one server's,
a second one is refused before it reads anything; where it may be several servers', their
transactions go by turns. Where the connection is lost, work fails until there is one again;
nothing is done twice by itself, since nobody knows whether a commit that was not confirmed has
happened.
"""

import copy
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Self, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from server.errors import StoreError
from server.store.engine import UNABLE, kind_of, not_written

T = TypeVar("T")

RETRY_S = 1.0
"""Seconds from a failed attempt to connect to the next; work is refused meanwhile."""

_Step = Callable[["_Session"], None]

_log = structlog.stdlib.get_logger("server.writer")


class Writer:
    """One thread, the only one of this process that writes.

    Args:
        engine: The database.

    Raises:
        StoreError: Somebody has it alone, or it cannot be written.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._steps: queue.SimpleQueue[_Step | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = threading.Event()
        self._first: tuple[Callable[[Connection], object], ...] = ()
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._work, args=(started,), name="writer", daemon=True
        )
        self._thread.start()
        started.result()

    def beginning_with(self, first: Callable[[Connection], object]) -> Self:
        """The same writer, each of whose transactions begins with something else too.

        Args:
            first: What is done before the work; what it raises, the work's future does.
        """
        other = copy.copy(self)
        other._first = (*self._first, first)  # noqa: SLF001 - it is one of ours
        return other

    def run(self, work: Callable[[Connection], T]) -> Future[T]:
        """Has work done in a transaction of its own.

        Returns:
            Resolves after the commit, on the writer's thread. Its exception is whatever
            `work` raised, or a `StoreError` where the database could not do it.

        Raises:
            StoreError: The writer is closed.
        """
        future: Future[T] = Future()
        first = self._first
        with self._closing:
            if self._closed.is_set():
                raise StoreError("the server is stopping", advice="try again in a moment")
            self._steps.put(lambda session: _do(session, first, work, future))
        return future

    def waiting(self) -> int:
        """How many pieces of work wait for their turn."""
        return self._steps.qsize()

    def close(self) -> None:
        """Finishes what was asked for, then ends the thread and lets go of the database."""
        with self._closing:
            if not self._closed.is_set():
                self._closed.set()
                self._steps.put(None)
        self._thread.join()

    def _work(self, started: Future[None]) -> None:
        session = _Session(self._engine)
        try:
            session.open()
            started.set_result(None)
            while (step := self._steps.get()) is not None:
                step(session)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)
        finally:
            session.close()


class _Session:
    """The writing connection, opened anew once it is lost.

    Attributes:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._held = ExitStack()
        self._conn: Connection | None = None
        self._failed_at = 0.0
        self._failure: Exception | None = None

    def open(self) -> Connection:
        """The connection.

        Raises:
            StoreError: Somebody else has the database, or it cannot be reached; for a
                while then the same again, so that nobody waits for one attempt each.
        """
        if self._conn is not None:
            return self._conn
        if self._failure is not None and time.monotonic() - self._failed_at < RETRY_S:
            raise self._failure
        try:
            self._conn = self._held.enter_context(kind_of(self.engine).serving(self.engine))
        except (StoreError, *UNABLE) as error:
            self._failure = error if isinstance(error, StoreError) else _told(self.engine, error)
            self._failed_at = time.monotonic()
            raise self._failure from error
        self._failure = None
        return self._conn

    def failed(self, error: SQLAlchemyError) -> None:
        """Lets go of the connection if the error says that it is lost."""
        if self._conn is not None and kind_of(self.engine).is_lost(self._conn, error):
            self._conn = None
            self._held.close()

    def close(self) -> None:
        """Lets another server have the database."""
        self._held.close()


def _do(
    session: _Session,
    first: Iterable[Callable[[Connection], object]],
    work: Callable[[Connection], T],
    future: Future[T],
) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        conn = session.open()
        with conn.begin():
            for each in first:
                each(conn)
            result = work(conn)
    except SQLAlchemyError as error:
        session.failed(error)
        future.set_exception(_told(session.engine, error))
    except Exception as error:  # noqa: BLE001 - it belongs to who asked, not to this thread
        future.set_exception(error)
    else:
        future.set_result(result)


def _told(engine: Engine, error: SQLAlchemyError) -> Exception:
    if not isinstance(error, UNABLE):
        return error  # our mistake
    _log.error("write_failed", error=str(error.orig if isinstance(error, DBAPIError) else error))
    return not_written(engine, error)
