"""Check-ins gather until the writer is free, and all that wait are one commit.

No batch is delayed to grow: while one commits, the next gathers. Of one machine there is one
check-in in a batch; a second waits for the next. What a batch had no time for goes first in
the next one, which waits its turn behind the other work that came meanwhile.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from sqlalchemy import Connection

from agent.wire import Ack
from server.errors import RequestRefused, StoreError
from server.store.batches import Answer
from server.store.checkins import Arrival
from server.store.writer import Writer

BATCH_MAX = 512
"""Most check-ins that one batch takes anew, so that none has the writer for long."""

RETRY_AFTER_S = 30
"""When to come again after a 503, in seconds."""

TakeAll = Callable[[Connection, Sequence[Arrival], Sequence[Arrival]], Sequence[Answer | None]]
"""Takes late check-ins and new ones in a transaction, as `server.store.batches.take_all`."""


class _Waiting:
    """A check-in with who waits for its answer."""

    __slots__ = ("arrival", "future", "loop")

    def __init__(self, arrival: Arrival, loop: asyncio.AbstractEventLoop) -> None:
        self.arrival = arrival
        self.loop = loop
        self.future: asyncio.Future[Ack] = loop.create_future()


class GroupCommit:
    """The check-ins that wait for a commit.

    Args:
        writer: Who commits.
        take_all: Takes a batch.
        waiting_max: Most check-ins that wait.
    """

    def __init__(self, writer: Writer, take_all: TakeAll, waiting_max: int) -> None:
        self._writer = writer
        self._take_all = take_all
        self._waiting_max = waiting_max
        self._lock = threading.Lock()
        self._late: list[_Waiting] = []
        self._waiting: list[_Waiting] = []
        self._asked = False

    async def take(self, arrival: Arrival) -> Ack:
        """Takes a check-in; returns when it is committed and synced.

        Raises:
            RequestRefused: Why it has no ack; 503 while too many wait, or the database
                cannot write.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(arrival, loop)
        with self._lock:
            if len(self._late) + len(self._waiting) >= self._waiting_max:
                raise busy("too many check-ins wait")
            self._waiting.append(waiting)
            ask, self._asked = not self._asked, True
        if ask:
            # After what this turn of the loop still brings: it waits no longer for that.
            loop.call_soon(self._ask)
        return await waiting.future

    def _ask(self) -> None:
        taken: list[_Waiting] = []
        try:
            batch = self._writer.run(lambda conn: self._take(conn, taken))
        except StoreError as error:
            self._abandon(error)
        else:
            batch.add_done_callback(lambda done: self._answer(taken, done))

    def _take(self, conn: Connection, taken: list[_Waiting]) -> Sequence[Answer]:
        late = self._next_batch(taken)
        arrivals = [each.arrival for each in taken]
        answers = self._take_all(conn, arrivals[:late], arrivals[late:])
        if None in answers:
            self._keep_late(taken, answers)
        return [each for each in answers if each is not None]

    def _next_batch(self, taken: list[_Waiting]) -> int:
        """Moves what waits to `taken`, one check-in per machine; asks again for the rest.

        Returns:
            How many of these are late.
        """
        rest: list[_Waiting] = []
        with self._lock:
            taken += self._late
            late, self._late = len(taken), []
            seen = {each.arrival.machine_id for each in taken}
            for each in self._waiting:
                full = len(taken) >= late + BATCH_MAX or each.arrival.machine_id in seen
                (rest if full else taken).append(each)
                seen.add(each.arrival.machine_id)
            self._waiting = rest
            self._asked = bool(rest)
        if rest:
            self._ask()
        return late

    def _keep_late(self, taken: list[_Waiting], answers: Sequence[Answer | None]) -> None:
        """Lets those wait on for which there was no time, and asks again for them."""
        pairs = list(zip(taken, answers, strict=True))
        taken[:] = [each for each, answer in pairs if answer is not None]
        with self._lock:
            self._late = [each for each, answer in pairs if answer is None]
            ask, self._asked = not self._asked, True
        if ask:
            self._ask()

    def _abandon(self, error: BaseException) -> None:
        with self._lock:
            taken = [*self._late, *self._waiting]
            self._late, self._waiting, self._asked = [], [], False
        _resolve(taken, [error] * len(taken))

    def _answer(self, taken: Sequence[_Waiting], done: Future[Sequence[Answer]]) -> None:
        error = done.exception()
        if error is None:
            _resolve(taken, done.result())
        elif taken:
            _resolve(taken, [error] * len(taken))
        else:
            self._abandon(error)  # its transaction did not even begin: all of them still wait


def _resolve(taken: Sequence[_Waiting], answers: Sequence[Answer | BaseException]) -> None:
    """Answers everybody: one call into each event loop, however many wait there."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting, Answer | BaseException]]]
    by_loop = defaultdict(list)
    for each, answer in zip(taken, answers, strict=True):
        by_loop[each.loop].append((each, answer))
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_all, pairs)
        except RuntimeError:
            # The loop has closed: nobody waits there any more.
            continue


def _set_all(pairs: Sequence[tuple[_Waiting, Answer | BaseException]]) -> None:
    for each, answer in pairs:
        if each.future.done():
            continue  # its client has gone
        if isinstance(answer, Ack):
            each.future.set_result(answer)
        elif isinstance(answer, StoreError):
            each.future.set_exception(busy(str(answer)))
        else:
            each.future.set_exception(answer)


def busy(reason: str) -> RequestRefused:
    """The answer to what cannot be written now: 503."""
    return RequestRefused(
        reason,
        advice="nothing was taken: send it again later",
        status=503,
        retry_after_s=RETRY_AFTER_S,
    )
