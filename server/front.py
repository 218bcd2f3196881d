"""The front door: every request comes in here, within its limits.

A body is read whole before anyone looks at it, up to its route's size and within one time
limit, whether its length was announced or not. Check-ins, nearly all of the traffic, are
decoded and answered right here; all else goes through the bridge to Litestar, which also
describes the check-in in the OpenAPI document. No request sends an alert, waits for the
network, or runs a statement on the event loop.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import structlog
from granian.rsgi import (  # type: ignore[attr-defined] # re-exported without saying so
    HTTPProtocol,
    Scope,
)
from litestar.types import ASGIApp

from agent.wire import PROFILE_MAX_BYTES, Ack, CheckIn
from server import bridge
from server.bodies import Bodies
from server.errors import RequestRefused
from server.logs import Refusals
from server.views.api import refusals
from server.views.api.refusals import JSON, Reply
from server.views.api.request import bearer, is_json

CHECK_INS = "/v1/check-ins"
"""Where check-ins go."""

PROFILES = "/v1/profiles/"
"""Begins the path of every profile."""

_log = structlog.stdlib.get_logger("server.front")

_HEADERS = [("content-type", JSON), ("cache-control", "no-store")]

_CLOSE = [("connection", "close")]

TakeCheckIn = Callable[[str, CheckIn], Awaitable[Ack]]


@dataclass(frozen=True)
class Limits:
    """What a request may cost.

    Attributes:
        check_in_max_bytes: Largest check-in, in bytes.
        request_max_bytes: Largest other body, in bytes, except a profile's.
        body_timeout_s: Seconds in which a body has to arrive.
    """

    check_in_max_bytes: int
    request_max_bytes: int
    body_timeout_s: float


class Front:
    """Granian's RSGI target.

    Args:
        check_in: Takes a machine's token and its check-in; may raise RequestRefused.
        app: Answers everything that is no check-in.
        limits: What a request may cost.
        counted: Where refusals are counted.
    """

    def __init__(
        self, check_in: TakeCheckIn, app: ASGIApp, limits: Limits, counted: Refusals
    ) -> None:
        self._take = check_in
        self._app = app
        self._limits = limits
        self._bodies = Bodies(limits.body_timeout_s)
        self._counted = counted
        self._decode = msgspec.json.Decoder(CheckIn).decode
        self._encode = msgspec.json.Encoder().encode
        self._closing: list[tuple[str, str]] = []
        self._headers = _HEADERS

    def close_connections(self) -> None:
        """Ends each connection with its next answer (RFC 9112 9.6): the server stops."""
        self._closing = _CLOSE
        self._headers = [*_HEADERS, *_CLOSE]

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answers one request, whatever it is."""
        try:
            if scope.path == CHECK_INS and scope.method == "POST":
                ack = await self._check_in(scope, protocol)
                protocol.response_bytes(200, self._headers, ack)
                return
            reply = await self._other(scope, protocol)
        except Exception as error:  # noqa: BLE001 - a bug in one request must not end the server
            reply = refusals.told(self._refused(error))
        if reply.status >= 400:  # noqa: PLR2004 - where refusals begin
            self._counted.add(reply.status, CHECK_INS if scope.path == CHECK_INS else "other")
        protocol.response_bytes(reply.status, [*reply.headers, *self._closing], reply.body)

    async def _check_in(self, scope: Scope, protocol: HTTPProtocol) -> bytes:
        headers = scope.headers
        if not is_json(headers.get("content-type")):
            raise refusals.not_json()
        token = bearer(headers.get("authorization"))
        if token is None:
            raise refusals.not_signed_in("machine")
        body = await self._bodies.read(headers, protocol, self._limits.check_in_max_bytes)
        try:
            message = self._decode(body)
        except msgspec.DecodeError as error:
            raise refusals.unreadable(error) from error
        return self._encode(await self._take(token, message))

    async def _other(self, scope: Scope, protocol: HTTPProtocol) -> Reply:
        is_profile = scope.path.startswith(PROFILES)
        limit = PROFILE_MAX_BYTES if is_profile else self._limits.request_max_bytes
        body = await self._bodies.read(scope.headers, protocol, limit)
        reply = await bridge.call(self._app, scope, body)
        told_in_json = any(header == ("content-type", JSON) for header in reply.headers)
        if reply.status >= 400 and not told_in_json:  # noqa: PLR2004 - where refusals begin
            return refusals.told(refusals.by_status(reply.status))
        return reply

    def _refused(self, error: Exception) -> RequestRefused:
        refused = refusals.of(error)
        if refused.status == 500:  # noqa: PLR2004 - the one that is our mistake
            _log.error("request failed", exc_info=error)
        return refused
