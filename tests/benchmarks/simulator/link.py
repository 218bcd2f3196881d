"""Requests as a laptop's agent sends them, over plain sockets: bytes out, an answer in.

A client for a million laptops cannot afford `requests`; what goes over the wire is the same, but
for TLS, which ends in front of the server here. Each conversation has a connection of its own, as
with real laptops: they come every quarter of an hour, and the server closes what is idle for
half a minute. With `keep_alive` connections are shared instead, as through a proxy.
"""

import asyncio
import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from agent import __version__
from agent.answers import Answer
from tests.benchmarks.simulator.machines import Request

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 30.0
"""As the agent's own settings have them."""

ANSWER_MAX_BYTES = 1_048_576
HEAD_MAX_BYTES = 16_384
IDLE_MAX_S = 20.0
"""A shared connection that was idle for longer may have been closed: it is opened anew."""

_CHUNK_BYTES = 65_536


REFUSED = "refused"
"""Nobody listens at the server's address."""


class LinkError(Exception):
    """No answer came; the text is the kind of reason, in one word."""


@dataclass(frozen=True)
class Head:
    """The beginning of an answer.

    Attributes:
        status: Of HTTP.
        body_bytes: How long its body is.
        retry_after_s: Seconds that the server asked to wait.
        size: Of the head itself, in bytes.
        closes: The server closes the connection after it.
    """

    status: int
    body_bytes: int
    retry_after_s: float
    size: int
    closes: bool


def written(request: Request, token: str, host: str) -> bytes:
    """A request's bytes: the heads are those of the agent's `requests`. Pure."""
    body = request.body or b""
    heads = [
        f"{request.method} {request.path} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: parity-agent/{__version__}",
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        "Connection: keep-alive",
    ]
    if request.body is not None:
        heads += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    heads += [f"Authorization: Bearer {token}", "", ""]
    return "\r\n".join(heads).encode() + body


def head_of(data: bytes) -> Head | None:
    """The head of an answer; None while it is not all there. Pure.

    Raises:
        LinkError: It is none that this client reads.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > HEAD_MAX_BYTES:
            raise LinkError("unreadable")
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    named = (line.partition(":") for line in lines)
    told = {name.strip().lower(): value.strip() for name, _, value in named}
    try:
        version, status = first.split(" ", 2)[:2]
        found = Head(
            int(status),
            int(told.get("content-length", "0")),
            float(told.get("retry-after", "0")),
            end + 4,
            told.get("connection", "").lower() == "close",
        )
    except ValueError:
        raise LinkError("unreadable") from None
    is_read = version.startswith("HTTP/1.") and "transfer-encoding" not in told
    if not is_read or not 0 <= found.body_bytes <= ANSWER_MAX_BYTES:
        raise LinkError("unreadable")
    return found


class Link:
    """A connection to the server, opened when it is needed; a context manager that closes it.

    Attributes:
        opened: How often it was opened.
        sent_bytes: All that went out.
        received_bytes: All that came in.
    """

    def __init__(self, host: str, port: int) -> None:
        self.opened = 0
        self.sent_bytes = 0
        self.received_bytes = 0
        self._address = (host, port)
        self._socket: socket.socket | None = None
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the next request opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def ask(self, data: bytes) -> Answer:
        """Sends a request and reads its answer.

        Raises:
            LinkError: None came.
        """
        try:
            return await self._ask(data)
        except TimeoutError:
            self.close()
            raise LinkError("timeout") from None
        except ConnectionRefusedError:
            self.close()
            raise LinkError(REFUSED) from None
        except ConnectionError:
            self.close()
            raise LinkError("reset") from None
        except OSError as error:
            self.close()
            raise LinkError((error.strerror or "error").lower()) from None
        except LinkError:
            self.close()
            raise

    async def _ask(self, data: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        opened = await self._open(loop)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await loop.sock_sendall(opened, data)
            self.sent_bytes += len(data)
            answer = await self._answer(loop, opened)
        self._used_at = time.monotonic()
        return answer

    async def _open(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        if self._socket is not None and time.monotonic() - self._used_at > IDLE_MAX_S:
            self.close()
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.sock_connect(self._socket, self._address)
            self.opened += 1
        return self._socket

    async def _answer(self, loop: asyncio.AbstractEventLoop, opened: socket.socket) -> Answer:
        data, head = b"", None
        while head is None or len(data) < head.size + head.body_bytes:
            chunk = await loop.sock_recv(opened, _CHUNK_BYTES)
            if not chunk:
                raise LinkError("closed")
            self.received_bytes += len(chunk)
            data += chunk
            head = head or head_of(data)
        if head.closes:
            self.close()
        body = data[head.size : head.size + head.body_bytes]
        return Answer(head.status, body, head.retry_after_s)
