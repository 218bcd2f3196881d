"""The floor: a bare ASGI callable that reads the body and answers as many bytes as an ack.

Served by the same Granian settings as the server, it tells what HTTP alone costs on this
machine, so that a figure of ours is a ratio and not a number of somebody's laptop.
``python -m tests.benchmarks.noop`` prints the port that it took.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from granian.constants import Interfaces

from agent.wire import Ack
from server import serving
from server.settings import Settings

ACK = msgspec.json.encode(Ack("match", "0123456789abcdef", 900))

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(ACK)).encode()),
    ],
}


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Reads the whole body and answers `ACK`."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send({"type": "http.response.body", "body": ACK})


async def serve() -> None:
    """Serves until SIGTERM, on a free port of loopback."""
    listening = serving.listen("127.0.0.1", 0)
    server = serving.embedded(app, Interfaces.ASGI, listening, Settings())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    print(serving.address_of(listening, tls=False), flush=True)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(serve())
