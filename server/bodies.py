"""Reads request bodies whole, within a size and a time.

One sweep looks after the time of all bodies that are under way: a timer for each would cost
more than decoding a check-in does. So a body has its time, and at most an eighth more.
"""

import asyncio
from typing import Any

from granian.rsgi import (  # type: ignore[attr-defined] # re-exported without saying so
    HTTPProtocol,
    ProtocolClosed,
    ProtocolError,
)

from server.views.api import refusals

_SWEEPS = 8


class Bodies:
    """The bodies that are being read.

    Args:
        timeout_s: Seconds in which a body has to arrive.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._began: dict[asyncio.Task[Any] | None, float] = {}  # oldest first
        self._is_sweeping = False

    async def read(self, headers: Any, protocol: HTTPProtocol, max_bytes: int) -> bytes:
        """One whole body.

        Args:
            headers: Of the request, as Granian has them.
            protocol: The request.
            max_bytes: The largest body that is read.

        Raises:
            RequestRefused: It is larger than `max_bytes` (413), whether its length was
                announced or not; it did not arrive in time (408); it was cut off (400).
        """
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        self._began[task] = loop.time()
        if not self._is_sweeping:
            self._sweep(loop)
        try:
            return await _whole(headers, protocol, max_bytes)
        except (ProtocolClosed, ProtocolError):
            raise refusals.cut_off() from None
        except asyncio.CancelledError:
            if task not in self._began:
                raise refusals.too_slow(self._timeout_s) from None
            raise
        finally:
            self._began.pop(task, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        late = loop.time() - self._timeout_s
        for task in [task for task, began in self._began.items() if began <= late]:
            del self._began[task]
            if task is not None:
                task.cancel()
        self._is_sweeping = bool(self._began)
        if self._is_sweeping:
            loop.call_later(self._timeout_s / _SWEEPS, self._sweep, loop)


async def _whole(headers: Any, protocol: HTTPProtocol, max_bytes: int) -> bytes:
    announced = headers.get("content-length")
    if announced is not None and "transfer-encoding" not in headers:
        # Granian's HTTP parser has checked the number and reads no more than it says.
        if int(announced) > max_bytes:
            raise refusals.too_large(max_bytes)
        return bytes(await protocol())
    chunks, size = [], 0
    async for chunk in protocol:
        size += len(chunk)
        if size > max_bytes:
            raise refusals.too_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)
