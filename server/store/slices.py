"""Small writes of many: one transaction and one sync for as many as a slice of time holds.

Whoever has something to write waits here until the writer is free. Then what waits is done,
in order, for `SLICE_S` and at least one piece; a piece that fails takes back its own writes
only, and nobody hears of his before the commit. What is left is asked for anew, behind all
that waits for the writer by then. So a kind of work that has `Slices` of its own has one place
in the writer's queue, however much of it there is: all kinds take turns, and none starves::

    uploads     u u u u u ---.
    enrolments  e e e -------+--> writer  [u u u] [e e] [c c c c] [u u] [e] [c c] ...
    check-ins   c c c c c ---'

Check-ins gather by themselves, see `server.group_commit`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from server.errors import StoreError
from server.store.engine import UNABLE
from server.store.writer import Writer

T = TypeVar("T")

SLICE_S = 0.05
"""How long one kind of work may have the writer at a time, in seconds."""

_Tell = Callable[[], None]


class Slice:
    """One turn of some work at the writer, beginning now.

    Args:
        seconds: How long it lasts.
    """

    def __init__(self, seconds: float = SLICE_S) -> None:
        self._ends_at = time.monotonic() + seconds
        self._is_new = True

    def lasts(self) -> bool:
        """Whether there is time for a further piece; for the first there always is."""
        is_new, self._is_new = self._is_new, False
        return is_new or time.monotonic() < self._ends_at


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of work.

    Attributes:
        is_awaited: Whether anybody still waits for it; asked once.
        do: Does it in a transaction; returns what tells its result after the commit.
        fail: Tells why it was not done.
    """

    is_awaited: Callable[[], bool]
    do: Callable[[Connection], _Tell]
    fail: Callable[[BaseException], None]


class Slices:
    """Work of one kind, done by slices.

    Args:
        writer: Who does it.
        slice_s: How long a slice lasts, in seconds.
    """

    def __init__(self, writer: Writer, slice_s: float = SLICE_S) -> None:
        self._writer = writer
        self._slice_s = slice_s
        self._lock = threading.Lock()
        self._waiting: deque[_Piece] = deque()
        self._asked = False

    def run(self, work: Callable[[Connection], T]) -> Future[T]:
        """Has work done, alone or together with other work of its kind.

        Returns:
            Resolves after the commit, on the writer's thread. Its exception is whatever
            `work` raised, or a `StoreError` where the database could not do it or the
            writer is closed.
        """
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append(_piece(work, future))
            ask, self._asked = not self._asked, True
        if ask:
            self._ask()
        return future

    def waiting(self) -> int:
        """How many pieces of work wait for their slice."""
        return len(self._waiting)

    def _ask(self) -> None:
        begun: list[_Piece] = []
        try:
            done = self._writer.run(lambda conn: self._do(conn, begun))
        except StoreError as error:
            self._abandon(error)
        else:
            done.add_done_callback(lambda done: self._tell(begun, done))

    def _do(self, conn: Connection, begun: list[_Piece]) -> Sequence[_Tell]:
        tells: list[_Tell] = []
        now = Slice(self._slice_s)
        try:
            while now.lasts() and (piece := self._next()) is not None:
                begun.append(piece)
                tells.append(piece.do(conn))
        finally:
            self._ask_again()
        return tells

    def _next(self) -> _Piece | None:
        with self._lock:
            while self._waiting:
                piece = self._waiting.popleft()
                if piece.is_awaited():
                    return piece
        return None

    def _ask_again(self) -> None:
        with self._lock:
            ask = self._asked = bool(self._waiting)
        if ask:
            self._ask()

    def _tell(self, begun: Sequence[_Piece], done: Future[Sequence[_Tell]]) -> None:
        error = done.exception()
        if error is None:
            for tell in done.result():
                tell()
        elif begun:
            for piece in begun:
                piece.fail(error)
        else:
            self._abandon(error)  # its transaction did not even begin: all of it still waits

    def _abandon(self, error: BaseException) -> None:
        with self._lock:
            left, self._waiting, self._asked = self._waiting, deque(), False
        for piece in left:
            if piece.is_awaited():
                piece.fail(error)


def _piece(work: Callable[[Connection], T], future: Future[T]) -> _Piece:
    def do(conn: Connection) -> _Tell:
        try:
            with conn.begin_nested():
                result = work(conn)
        except UNABLE:
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to who asked, not to the others
            return partial(future.set_exception, error)
        return partial(future.set_result, result)

    return _Piece(future.set_running_or_notify_cancel, do, future.set_exception)
