"""What routes are given: a way to read, and a way to enrol.

A query runs on a thread, on a connection that only reads; the event loop runs no statement.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine

from agent.wire import Enrolled, Enrolment
from server.current import Current
from server.store.engine import reading

T = TypeVar("T")

Enrol = Callable[[Enrolment], Awaitable[Enrolled]]
"""Makes a machine known; may raise RequestRefused."""


class Reads:
    """What the routes for viewers read from.

    Args:
        engine: Its connections only read.
        current: What is true now.
        clock: The server's clock, in whole seconds since the epoch.
        sources: The names of the release sources that the settings name.

    Attributes:
        current: What is true now.
        clock: The server's clock.
        sources: The names of the release sources.
    """

    def __init__(
        self,
        engine: Engine,
        current: Current,
        clock: Callable[[], int],
        sources: tuple[str, ...] = (),
    ) -> None:
        self._engine = engine
        self.current = current
        self.clock = clock
        self.sources = sources

    async def run(self, query: Callable[[Connection], T]) -> T:
        """What a query returns; the event loop does not wait for it."""
        return await asyncio.to_thread(self._now, query)

    def _now(self, query: Callable[[Connection], T]) -> T:
        with reading(self._engine) as conn:
            return query(conn)
