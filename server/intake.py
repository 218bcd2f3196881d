r"""Where laptops' messages enter: group commit of check-ins, uploads of profiles.

A check-in waits here until the writer is free; the writer then takes everything that
waits, in one transaction with one sync of the disk, and only after that is anybody
answered::

    event loop    check_in ... check_in ... check_in        answers <-- one call per loop
                      \____________|___________/                ^
    writer                    [ one batch ]  BEGIN  take_all  COMMIT, synced

No batch is delayed to grow: while one commits, the next gathers. Of one machine there is
one check-in in a batch; a second waits for the next. The event loop runs no statement.

Of enrolments so many are under way, and none with a wrong secret reaches the writer.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from agent.wire import Ack, CheckIn, Enrolled, Enrolment, MachineView, Renewal, Renewed
from server import enrolment, machine_tokens
from server.current import Current
from server.errors import RequestRefused, StoreError
from server.secret_check import SecretCheck
from server.store import batches, fleet, read, uploads
from server.store.acks import INTERVAL_S
from server.store.batches import Answer
from server.store.checkins import Arrival, authenticated, key_of, signed, unauthorised
from server.store.engine import reading
from server.store.writer import Writer
from server.tokens import hash_token, is_due, machine_of

T = TypeVar("T")

WAITING_MAX = 10_000
"""Most check-ins that wait for a commit."""

WORK_WAITING_MAX = 256
"""Most pieces of other work that wait for the writer before an upload is refused."""

ENROLLING_MAX = 64
"""Most enrolments under way: a fleet that is rolled out leaves check-ins their share."""

TOKEN_MAX_AGE_S = 30 * 86_400
"""Default age of a machine's token at which the next one takes its turn, in seconds."""

BATCH_MAX = 512
"""Most check-ins in one transaction, so that none takes the writer for long."""

RETRY_AFTER_S = 30
"""When to come again after a 503, in seconds."""


class _Waiting:
    """A check-in with who waits for its answer."""

    __slots__ = ("arrival", "future", "loop")

    def __init__(self, arrival: Arrival, loop: asyncio.AbstractEventLoop) -> None:
        self.arrival = arrival
        self.loop = loop
        self.future: asyncio.Future[Ack] = loop.create_future()


class Intake:
    """The messages of machines, answered when what they say is durable.

    Args:
        engine: For reading.
        writer: For everything else.
        current: What is true now.
        clock: Whole seconds since the epoch.
        interval_s: Seconds between two check-ins of a machine, before spreading.
        waiting_max: Most check-ins that wait.
        token_max_age_s: Age at which a machine's token gives way to the next one.
    """

    def __init__(  # noqa: PLR0913 - three parts that it joins, its clock and three limits
        self,
        engine: Engine,
        writer: Writer,
        current: Current,
        clock: Callable[[], int],
        *,
        interval_s: int = INTERVAL_S,
        waiting_max: int = WAITING_MAX,
        token_max_age_s: int = TOKEN_MAX_AGE_S,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._current = current
        self._clock = clock
        self._interval_s = interval_s
        self._waiting_max = waiting_max
        self._token_max_age_s = token_max_age_s
        self._secrets = SecretCheck(engine, clock)
        self._enrolling = 0
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._asked = False

    async def enrol(self, message: Enrolment) -> Enrolled:
        """Enrols a machine; returns when it is committed and synced.

        Raises:
            RequestRefused: As `server.enrolment.enrol`; 429 too many wrong secrets; 503.
        """
        self._check_room("enrolments", is_full=self._enrolling >= ENROLLING_MAX)
        self._enrolling += 1
        try:
            await self._secrets.check(message.secret)
            return await self._written(
                lambda conn: enrolment.enrol(conn, self._current, message, self._clock())
            )
        finally:
            self._enrolling -= 1

    async def check_in(self, token: str, message: CheckIn) -> Ack:
        """Takes a check-in; returns when it is committed and synced.

        Raises:
            RequestRefused: 401 for a token that is no machine's; 422 for a wire version
                that is not read; 503 while too many wait, or the database cannot write.
        """
        machine_id = _machine_of(token)
        enrolment.check_wire(message.wire)
        arrival = Arrival(machine_id, token, key_of(token, message), message)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(arrival, loop)
        with self._lock:
            if len(self._waiting) >= self._waiting_max:
                raise _busy("too many check-ins wait")
            self._waiting.append(waiting)
            ask, self._asked = not self._asked, True
        if ask:
            # After what this turn of the loop still brings: it waits no longer for that.
            loop.call_soon(self._ask)
        ack = await waiting.future
        is_old = is_due(token, self._clock(), self._token_max_age_s)
        return replace(ack, rotate=True) if is_old else ack

    async def renew(self, token: str, message: Renewal) -> Renewed:
        """Gives a machine its next token; returns when it is committed and synced.

        Raises:
            RequestRefused: 401, also for a key that is not the machine's; 422 for a wire
                version that is not read; 503.
        """
        machine_id = _machine_of(token)
        enrolment.check_wire(message.wire)
        self._check_room("requests")
        return await self._written(
            lambda conn: machine_tokens.renew(conn, machine_id, message.key, self._clock())
        )

    async def put_profile(self, token: str, digest: str, body: bytes) -> None:
        """Takes the bytes of a profile that its machine was asked for.

        Raises:
            RequestRefused: 401; 403 it was not asked for; 409 the digest is not of these
                bytes; 413; 422 not a canonical profile; 429; 503.
        """
        machine_id = _machine_of(token)
        uploads.check(digest, body)
        self._check_room("uploads")
        upload = uploads.Upload(machine_id, hash_token(token), digest, body)
        await self._written(
            lambda conn: uploads.receive(conn, self._current, upload, self._clock())
        )

    async def leave(self, token: str) -> None:
        """Lets a laptop go by its own word; returns when it is committed and synced.

        Raises:
            RequestRefused: 401, also for a machine that has left already; 503.
        """
        machine_id = _machine_of(token)
        self._check_room("requests")
        await self._written(lambda conn: self._leave(conn, machine_id, hash_token(token)))

    def _leave(self, conn: Connection, machine_id: str, token_hash: str) -> None:
        machine = signed(conn, machine_id, token_hash)
        fleet.say_goodbye(conn, self._current, machine, self._clock())

    async def machine(self, token: str) -> MachineView:
        """The standing of the machine that a token is for.

        Raises:
            RequestRefused: 401; 503 if the database cannot be read.
        """
        machine_id = _machine_of(token)
        return await asyncio.to_thread(self._view, machine_id, hash_token(token))

    def _view(self, machine_id: str, token_hash: str) -> MachineView:
        with reading(self._engine) as conn:
            authenticated(conn, machine_id, token_hash)
            view = read.machine_view(conn, self._current, machine_id, self._clock())
        if view is None:
            raise unauthorised()
        return view

    def _check_room(self, what: str, *, is_full: bool = False) -> None:
        if is_full or self._writer.waiting() >= WORK_WAITING_MAX:
            raise _busy(f"too many {what} wait")

    async def _written(self, work: Callable[[Connection], T]) -> T:
        try:
            return await asyncio.wrap_future(self._writer.run(work))
        except StoreError as error:
            raise _busy(str(error)) from error

    def _ask(self) -> None:
        taken: list[_Waiting] = []
        try:
            batch = self._writer.run(lambda conn: self._take(conn, taken))
        except StoreError as error:
            self._abandon(error)
        else:
            batch.add_done_callback(lambda done: self._answer(taken, done))

    def _take(self, conn: Connection, taken: list[_Waiting]) -> list[Answer]:
        self._next_batch(taken)
        arrivals = [each.arrival for each in taken]
        return batches.take_all(conn, self._current, arrivals, self._clock(), self._interval_s)

    def _next_batch(self, taken: list[_Waiting]) -> None:
        """Moves what waits to `taken`, one check-in per machine; asks again for the rest."""
        seen: set[str] = set()
        rest: list[_Waiting] = []
        with self._lock:
            for each in self._waiting:
                full = len(taken) >= BATCH_MAX or each.arrival.machine_id in seen
                (rest if full else taken).append(each)
                seen.add(each.arrival.machine_id)
            self._waiting = rest
            self._asked = bool(rest)
        if rest:
            self._ask()

    def _abandon(self, error: BaseException) -> None:
        with self._lock:
            taken, self._waiting, self._asked = self._waiting, [], False
        _resolve(taken, [error] * len(taken))

    def _answer(self, taken: Sequence[_Waiting], done: Future[list[Answer]]) -> None:
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
            each.future.set_exception(_busy(str(answer)))
        else:
            each.future.set_exception(answer)


def _machine_of(token: str) -> str:
    machine_id = machine_of(token)
    if machine_id is None:
        raise unauthorised()
    return machine_id


def _busy(reason: str) -> RequestRefused:
    return RequestRefused(
        reason,
        advice="nothing was taken: send it again later",
        status=503,
        retry_after_s=RETRY_AFTER_S,
    )
