"""What routes for operators are given: a way to change what is expected.

A change runs on the writer's thread, in a transaction of its own, and is answered after it was
synced.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from server.current import Current
from server.errors import StoreError
from server.store.writer import Writer

T = TypeVar("T")

WAITING_MAX = 256
"""Most pieces of work that wait for the writer before a change is refused."""


class Writes:
    """What the routes for operators change things with.

    Args:
        writer: The one that writes.
        current: What is true now.
        clock: The server's clock, in whole seconds since the epoch.

    Attributes:
        current: What is true now.
        clock: The server's clock.
    """

    def __init__(self, writer: Writer, current: Current, clock: Callable[[], int]) -> None:
        self._writer = writer
        self.current = current
        self.clock = clock

    async def run(self, work: Callable[[Connection, int], T]) -> T:
        """What a change returns, when it is committed and synced.

        Args:
            work: Takes the writer's transaction and the server's clock.

        Raises:
            StoreError: Too much waits for the writer, or the database cannot be written.
        """
        if self._writer.waiting() >= WAITING_MAX:
            raise StoreError("too many changes wait", advice="ask again later")
        return await asyncio.wrap_future(self._writer.run(lambda conn: work(conn, self.clock())))
