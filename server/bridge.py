"""From Granian's own interface (RSGI) to an ASGI application, for one request at a time.

The check-in is served over RSGI, which costs about half of what ASGI costs per request;
Litestar, which serves all else, speaks ASGI. Bodies and answers are small and whole here:
a body has been read within its limits before the application is asked, and an answer is
sent when it is complete. So there are no streams, and a slow client holds no handler.
Sources: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md and
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
from typing import Any
from urllib.parse import quote

from granian.rsgi import Scope
from litestar.types import ASGIApp, HTTPScope, Message

from server.views.api.refusals import Reply


async def call(app: ASGIApp, scope: Scope, body: bytes) -> Reply:
    """What an ASGI application answers to a request whose body has been read.

    Raises:
        RuntimeError: The application ended without a whole answer: a bug of ours.
    """
    exchange = _Exchange(body)
    await app(_asgi_scope(scope), exchange.receive, exchange.send)
    return exchange.reply()


class _Exchange:
    """Both ends of one request as ASGI sees it."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._chunks: list[bytes] = []
        self._complete = False

    async def receive(self) -> Any:
        if self._body is None:
            # Nothing follows a whole body; who waits for more waits for the end.
            await asyncio.get_running_loop().create_future()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
        elif message["type"] == "http.response.body":
            self._chunks.append(message["body"])
            self._complete = not message.get("more_body", False)

    def reply(self) -> Reply:
        if not (self._status and self._complete):
            raise RuntimeError("the application gave no whole answer")
        return Reply(self._status, self._headers, b"".join(self._chunks))


def _asgi_scope(scope: Scope) -> HTTPScope:
    host, _, port = scope.client.rpartition(":")
    own_host, _, own_port = scope.server.rpartition(":")
    made: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": scope.scheme,
        "path": scope.path,
        "raw_path": quote(scope.path).encode("ascii"),
        "query_string": scope.query_string.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in scope.headers.items()
        ],
        "client": (host, _port(port)),
        "server": (own_host, _port(own_port)),
        "state": {},
        "extensions": {},
    }
    result: HTTPScope = made
    return result


def _port(text: str) -> int:
    return int(text) if text.isdigit() else 0
