"""What every request is checked for before a route looks at it.

A body is decoded as strictly as at the front door: by the message's own type, without
turning text into numbers, and with every unknown field refused.
"""

from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from server import tokens
from server.tokens import Role, Token
from server.views.api import refusals
from server.views.api.reading import Reads

READER: list[dict[str, list[str]]] = [{"viewer": []}, {"operator": []}]
"""Who may ask what `needs_viewer` guards, as the OpenAPI document says it."""


def bearer(header: str | None) -> str | None:
    """The token of an ``Authorization: Bearer`` header (RFC 6750 2.1), or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def is_json(header: str | None) -> bool:
    """Whether a ``Content-Type`` header says JSON, with or without parameters."""
    # Agents send exactly this; the rest is for people.
    return header == refusals.JSON or (
        (header or "").partition(";")[0].strip().lower() == refusals.JSON
    )


class StrictRequest(Request[Any, Any, State]):
    """A request whose body is the promised message or is refused."""

    async def json(self) -> Any:
        """The body as the message that the route takes; as bytes where it takes bytes.

        Raises:
            RequestRefused: It is no JSON, or not that message.
        """
        if not is_json(self.headers.get("content-type")):
            raise refusals.not_json()
        wanted = self.route_handler.parsed_data_field
        body = await self.body()
        if wanted is None or wanted.annotation is bytes:
            return body
        try:
            return msgspec.json.decode(body, type=wanted.annotation)
        except msgspec.DecodeError as error:
            raise refusals.unreadable(error) from error


async def needs_viewer(
    connection: ASGIConnection[Any, Any, Any, State], _: BaseRouteHandler
) -> None:
    """A guard: only who shows a viewer's or an operator's token goes on.

    Raises:
        RequestRefused: 401 there is none, or it does not hold.
    """
    await _admitted(connection, "viewer")


async def needs_operator(
    connection: ASGIConnection[Any, Any, Any, State], _: BaseRouteHandler
) -> None:
    """A guard: only who shows an operator's token goes on; `operator_of` then names them.

    Raises:
        RequestRefused: 401 there is none, or it does not hold; 403 it is a viewer's.
    """
    token = await _admitted(connection, "operator")
    if token.role != "operator":
        raise refusals.not_an_operator()
    connection.state.operator = token.name


async def _admitted(connection: ASGIConnection[Any, Any, Any, State], role: Role) -> Token:
    shown = bearer(connection.headers.get("authorization"))
    reads: Reads = connection.app.state.reads
    held = await reads.run(lambda conn: tokens.holder(conn, shown)) if shown else None
    if held is None:
        raise refusals.not_signed_in(role)
    return held


def operator_of(request: Request[Any, Any, State]) -> str:
    """Who signs what a request changes: the name of its token, on routes for operators."""
    name: str = request.state.operator
    return name


def machine_token(request: Request[Any, Any, State]) -> str:
    """The token that a machine showed; whether it holds is asked of the database later.

    Raises:
        RequestRefused: It showed none.
    """
    token = bearer(request.headers.get("authorization"))
    if token is None:
        raise refusals.not_signed_in("machine")
    return token
