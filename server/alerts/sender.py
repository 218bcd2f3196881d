"""Sends what the outbox holds: takes a lease, sends outside any transaction, then marks.

At least once: a crash between sending and marking leaves the lease to run out, and the
message is sent again; a crash before sending loses nothing either. (Marking first, as
others do, would lose the alert.) A database that goes away just then causes no second
message: the mark is tried for as long as the lease holds. While the destination fails,
the whole outbox waits, so that messages keep their order; a message that is refused for
good steps aside for an hour and is tried again, never dropped in silence.

Without a destination what falls due is dropped with that reason, and counted: one that is
configured later is not flooded with old news.
"""

import math
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine

from server.alerts import lasting, messages, planning
from server.alerts.destinations.interface import Destination
from server.alerts.planning import CAP_S, MESSAGES_MAX, ROWS_MAX, Parcel
from server.alerts.rows import NO_DESTINATION
from server.errors import DeliveryError, StoreError
from server.store import outbox as store
from server.store.engine import reading
from server.store.writer import Writer

LEASE_S = 60
"""How long a row is taken for, in seconds; several times the longest single send."""

REFUSED_RETRY_S = 3_600
"""After which a refused message is tried again, in seconds."""

BACK_OFF_S = 5
"""First wait after a failure, in seconds; doubled with each further one."""

BACK_OFF_MAX_S = 300
"""Longest such wait before the random addition, in seconds."""

WRITE_TIMEOUT_S = 60
"""Longest wait for the writer, in seconds."""

MARK_EVERY_S = 1
"""Seconds between two attempts to mark what was sent."""

MARKS_MAX = 50
"""Most attempts: by then the lease is about to end."""

T = TypeVar("T")


class Sender:
    """Sends due messages to one destination.

    Args:
        engine: For reading, so that an idle round never troubles the writer.
        writer: For claims and marks.
        destination: Where to; None while none is configured.
        clock: Tells the time that passes within a round, in seconds.
        rng: For the random part of a back-off.
    """

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        destination: Destination | None,
        clock: Callable[[], float],
        rng: random.Random | None = None,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._destination = destination
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._failures = 0
        self._failed_at = 0
        self._resume_at = 0
        self._log = structlog.get_logger("server.alerts")

    def send_due(self, now: int) -> int:
        """Sends what is due and may go; returns how many messages were delivered.

        Args:
            now: Whole seconds since the epoch, when the round begins.
        """
        if self._destination is None:
            return self._drop_due(now)
        if now < self._failed_at:
            self._resume_at = now  # the clock was set back: the wait would last as much longer
        started = self._clock()
        sent = 0
        moment = now
        while moment >= self._resume_at and (parcel := self._take(moment)) is not None:
            sent += self._send(self._destination, parcel, moment)
            moment = now + int(self._clock() - started)
        return sent

    def _drop_due(self, now: int) -> int:
        if self._has_work(now):
            dropped = self._write(lambda conn: store.drop_due(conn, NO_DESTINATION, now))
            self._log.info("alerts not sent: no destination is configured", rows=dropped)
        return 0

    def _take(self, now: int) -> Parcel | None:
        return self._write(lambda conn: _claim(conn, now)) if self._has_work(now) else None

    def _has_work(self, now: int) -> bool:
        with reading(self._engine) as conn:
            is_full = store.sent_between(conn, now - CAP_S, now) >= MESSAGES_MAX
            return store.is_due(conn, now, beyond_held=is_full)

    def _send(self, destination: Destination, parcel: Parcel, now: int) -> int:
        counted = tuple(row.id for row in parcel.counted)
        try:
            destination.send(messages.message(parcel))
        except DeliveryError as error:
            self._fail(parcel, error, now)
            return 0
        self._mark(lambda conn: store.delivered(conn, parcel.row.id, counted, now))
        self._failures = 0
        return 1

    def _mark(self, mark: Callable[[Connection], None]) -> None:
        pause = threading.Event()
        for _ in range(MARKS_MAX - 1):
            try:
                return self._write(mark)
            except StoreError:
                pause.wait(MARK_EVERY_S)
        return self._write(mark)

    def _fail(self, parcel: Parcel, error: DeliveryError, now: int) -> None:
        counted = tuple(row.id for row in parcel.counted)
        again_at = now + REFUSED_RETRY_S if error.permanent else None
        self._write(lambda conn: store.failed(conn, parcel.row.id, counted, str(error), again_at))
        self._failures += 1
        self._failed_at = now
        self._resume_at = now + self._pause_s(error)
        log = self._log.error if error.permanent else self._log.warning
        log(
            "an alert was not delivered",
            reason=str(error),
            advice=error.advice,
            resumes_at=self._resume_at,
        )

    def _pause_s(self, error: DeliveryError) -> int:
        cap = REFUSED_RETRY_S if error.permanent else BACK_OFF_MAX_S
        pause: float = min(BACK_OFF_S * 2 ** min(self._failures - 1, 20), cap)
        if error.retry_after_s is not None:
            pause = max(pause, error.retry_after_s)
        return math.ceil(pause + self._rng.uniform(0, BACK_OFF_S))

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._writer.run(work).result(WRITE_TIMEOUT_S)


def _claim(conn: Connection, now: int) -> Parcel | None:
    lasting.drop_overtaken(conn, now)
    sent = store.sent_between(conn, now - CAP_S, now)
    parcel = planning.pack(store.due(conn, now, ROWS_MAX), sent, now)
    if sent >= MESSAGES_MAX:
        store.hold_due(conn, now)
    if parcel is None or not store.lease(conn, [parcel.row.id], now, now + LEASE_S):
        return None
    taken = store.lease(conn, [row.id for row in parcel.counted], now, now + LEASE_S)
    return replace(parcel, counted=tuple(row for row in parcel.counted if row.id in taken))
