"""The one thread that writes, and the promise that it keeps.

Work is a function of an open connection. Each runs in a transaction of its own, in the
order of asking; its future resolves after the commit was synced, and with the result, so
what a future has told, a crash cannot take back. Work that fails changes nothing. Who has
much to write asks in slices of at most 50 ms, and check-ins go in between.

Every other thread reads, by connections that cannot write. A second server on the same
file is refused before it reads anything.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from server.errors import StoreError
from server.store.engine import sqlite_path, writable
from server.store.lock import ProcessLock

T = TypeVar("T")
_Step = Callable[[Connection], None]

_log = structlog.stdlib.get_logger("server.writer")


class Writer:
    """One thread, the only one of this process that writes.

    Args:
        engine: The database.

    Raises:
        StoreError: Another server works on it, or it cannot be written.
    """

    def __init__(self, engine: Engine) -> None:
        path = sqlite_path(engine.url)
        self._lock = ProcessLock(path.with_name(f"{path.name}.lock"))
        self._engine = engine
        self._steps: queue.SimpleQueue[_Step | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._work, args=(started,), name="writer", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._lock.release()
            raise

    def run(self, work: Callable[[Connection], T]) -> Future[T]:
        """Has work done in a transaction of its own.

        Returns:
            Resolves after the commit, on the writer's thread. Its exception is whatever
            `work` raised, or a `StoreError` where the database could not do it.

        Raises:
            StoreError: The writer is closed.
        """
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise StoreError("the server is stopping", advice="try again in a moment")
            self._steps.put(lambda conn: _do(conn, work, future))
        return future

    def waiting(self) -> int:
        """How many pieces of work wait for their turn."""
        return self._steps.qsize()

    def close(self) -> None:
        """Finishes what was asked for, then ends the thread and lets go of the file."""
        with self._closing:
            first, self._closed = not self._closed, True
            if first:
                self._steps.put(None)
        self._thread.join()
        if first:
            self._lock.release()

    def _work(self, started: Future[None]) -> None:
        try:
            with writable(self._engine) as conn:
                started.set_result(None)
                while (step := self._steps.get()) is not None:
                    step(conn)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)


def _do(conn: Connection, work: Callable[[Connection], T], future: Future[T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        with conn.begin():
            result = work(conn)
    except OperationalError as error:
        _log.error("write_failed", error=str(error.orig))
        future.set_exception(_not_written(error))
    except Exception as error:  # noqa: BLE001 - it belongs to who asked, not to this thread
        future.set_exception(error)
    else:
        future.set_result(result)


def _not_written(error: OperationalError) -> StoreError:
    return StoreError(
        f"the database cannot be written: {error.orig}",
        advice="see that its disk has room and works; nothing was taken, so try again",
    )
