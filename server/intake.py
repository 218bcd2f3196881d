r"""Where laptops' messages enter: group commit of check-ins and of all else that they send.

A check-in waits here until the writer is free; the writer then takes everything that
waits, in one transaction with one sync of the disk, and only after that is anybody
answered::

    event loop    check_in ... check_in ... check_in        answers <-- one call per loop
                      \____________|___________/                ^
    writer                    [ one batch ]  BEGIN  take_all  COMMIT, synced

So it is with enrolments, with uploads of profiles, and with the rest (`server.store.slices`).
Each kind has one place in the writer's queue and a slice of its time: laptops that all bring
a new profile on the day of a release do not stop those that only say that they are here.
The event loop runs no statement.

Of enrolments so many are under way, and none with a wrong secret reaches the writer.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from agent.wire import Ack, CheckIn, Enrolled, Enrolment, MachineView, Renewal, Renewed
from server import enrolment, machine_tokens
from server.current import Current
from server.errors import StoreError
from server.group_commit import GroupCommit, busy
from server.secret_check import SecretCheck
from server.store import batches, fleet, read, uploads
from server.store.acks import INTERVAL_S
from server.store.batches import Answer
from server.store.checkins import Arrival, authenticated, key_of, signed, unauthorised
from server.store.engine import reading
from server.store.slices import SLICE_S, Slice, Slices
from server.store.writer import Writer
from server.tokens import hash_token, is_due, machine_of

T = TypeVar("T")

WAITING_MAX = 10_000
"""Most check-ins that wait for a commit."""

WORK_WAITING_MAX = 256
"""Most pieces of any other kind of work that wait before one more is refused."""

ENROLLING_MAX = 64
"""Most enrolments under way: a fleet that is rolled out leaves check-ins their share."""

TOKEN_MAX_AGE_S = 30 * 86_400
"""Default age of a machine's token at which the next one takes its turn, in seconds."""


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
        slice_s: How long one kind of work may have the writer at a time, in seconds.
    """

    def __init__(  # noqa: PLR0913 - three parts that it joins, its clock and four limits
        self,
        engine: Engine,
        writer: Writer,
        current: Current,
        clock: Callable[[], int],
        *,
        interval_s: int = INTERVAL_S,
        waiting_max: int = WAITING_MAX,
        token_max_age_s: int = TOKEN_MAX_AGE_S,
        slice_s: float = SLICE_S,
    ) -> None:
        self._engine = engine
        self._current = current
        self._clock = clock
        self._interval_s = interval_s
        self._token_max_age_s = token_max_age_s
        self._slice_s = slice_s
        self._secrets = SecretCheck(engine, clock)
        self._enrolling = 0
        self._check_ins = GroupCommit(writer, self._take_all, waiting_max)
        self._enrolments = Slices(writer, slice_s)
        self._uploads = Slices(writer, slice_s)
        self._requests = Slices(writer, slice_s)

    async def enrol(self, message: Enrolment) -> Enrolled:
        """Enrols a machine; returns when it is committed and synced.

        Raises:
            RequestRefused: As `server.enrolment.enrol`; 429 too many wrong secrets; 503.
        """
        if self._enrolling >= ENROLLING_MAX:
            raise busy("too many enrolments wait")
        self._enrolling += 1
        try:
            await self._secrets.check(message.secret)
            return await _written(
                self._enrolments,
                lambda conn: enrolment.enrol(conn, self._current, message, self._clock()),
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
        ack = await self._check_ins.take(arrival)
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
        _check_room(self._requests, "requests")
        return await _written(
            self._requests,
            lambda conn: machine_tokens.renew(conn, machine_id, message.key, self._clock()),
        )

    async def put_profile(self, token: str, digest: str, body: bytes) -> None:
        """Takes the bytes of a profile that its machine was asked for.

        Raises:
            RequestRefused: 401; 403 it was not asked for; 409 the digest is not of these
                bytes; 413; 422 not a canonical profile; 429; 503.
        """
        machine_id = _machine_of(token)
        uploads.check(digest, body)
        _check_room(self._uploads, "uploads")
        upload = uploads.Upload(machine_id, hash_token(token), digest, body)
        await _written(
            self._uploads,
            lambda conn: uploads.receive(conn, self._current, upload, self._clock()),
        )

    async def leave(self, token: str) -> None:
        """Lets a laptop go by its own word; returns when it is committed and synced.

        Raises:
            RequestRefused: 401, also for a machine that has left already; 503.
        """
        machine_id = _machine_of(token)
        _check_room(self._requests, "requests")
        await _written(
            self._requests, lambda conn: self._leave(conn, machine_id, hash_token(token))
        )

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

    def _take_all(
        self, conn: Connection, late: Sequence[Arrival], arrivals: Sequence[Arrival]
    ) -> Sequence[Answer | None]:
        return batches.take_all(
            conn,
            self._current,
            late,
            arrivals,
            self._clock(),
            interval_s=self._interval_s,
            turn=Slice(self._slice_s),
        )


def _check_room(work: Slices, what: str) -> None:
    if work.waiting() >= WORK_WAITING_MAX:
        raise busy(f"too many {what} wait")


async def _written(slices: Slices, work: Callable[[Connection], T]) -> T:
    try:
        return await asyncio.wrap_future(slices.run(work))
    except StoreError as error:
        raise busy(str(error)) from error


def _machine_of(token: str) -> str:
    machine_id = machine_of(token)
    if machine_id is None:
        raise unauthorised()
    return machine_id
