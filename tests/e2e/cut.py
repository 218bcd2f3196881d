"""A cable that can be cut: TCP on loopback, passed on to a socket of another process.

A cut is silent, as of a cable: connections stay open, and nothing comes through any more, not
even that the other side has ended. The kernel confirms what it was given all the same, so no
keepalive fails here; `Cable.drop` plays the moment at which it would, on both sides.
"""

import asyncio
import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65_536


class Cable:
    """Leads to a Unix socket; a context manager.

    Args:
        target: The socket.

    Attributes:
        port: On loopback, to connect to.
    """

    def __init__(self, target: Path) -> None:
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()
        self._ended = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    def cut(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def drop(self) -> None:
        """Both sides find that their connections are gone."""
        self._loop.call_soon_threadsafe(self._abort)

    def mend(self) -> None:
        """From now on all comes through again."""
        self._loop.call_soon_threadsafe(self._whole.set)

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._listens.set()
            await self._ended.wait()
            server.close()
            self._whole.set()
            self._abort()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)

    async def _connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._open.add(back)
        with contextlib.suppress(OSError):
            await self._whole.wait()
            far, forth = await asyncio.open_unix_connection(self._target)
            self._open.add(forth)
            await asyncio.gather(self._pass(near, forth), self._pass(far, back))
            self._open.remove(forth)
        back.transport.abort()
        self._open.remove(back)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK_BYTES):
                await self._whole.wait()
                sink.write(data)
                await sink.drain()
        await self._whole.wait()
        sink.close()

    def __enter__(self) -> Self:
        self._thread.start()
        self._listens.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()
