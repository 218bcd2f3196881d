"""The calls that agents make.

The front door answers ``POST /v1/check-ins`` before it comes here; the route below is
the same call, for the OpenAPI document and for a path with a slash at its end.
"""

from typing import Annotated, Any

from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Body, Parameter

from agent.wire import (
    Ack,
    CheckIn,
    Enrolled,
    Enrolment,
    MachineView,
    Refusal,
    Renewal,
    Renewed,
)
from server.intake import Intake
from server.views.api.reading import Enrol
from server.views.api.request import machine_token

AnyRequest = Request[Any, Any, State]

_MACHINE: list[dict[str, list[str]]] = [{"machine": []}]


def _refused(**said: str) -> dict[int, ResponseSpec]:
    return {
        int(status.removeprefix("s")): ResponseSpec(
            Refusal, description=text, generate_examples=False
        )
        for status, text in said.items()
    }


_BODY = {
    "s400": "The body is no JSON, or ended too early.",
    "s413": "The body is too large.",
    "s415": "The body does not say that it is JSON.",
    "s422": "The body is not the message that this call takes; `path` says where.",
    "s503": "The server cannot write now; `Retry-After` says when to ask again.",
}


@post(
    "/v1/enrolments",
    tags=["agents"],
    summary="Enrol a machine",
    responses=_refused(
        **_BODY,
        s403="The secret does not hold, has ended, is used up, or is for another label.",
        s409="A live machine has this label.",
        s429="Too many wrong secrets came in the name of this one; see `Retry-After`.",
    ),
)
async def enrol(data: Enrolment, enrol_machine: Enrol) -> Enrolled:
    """Takes a machine in; its token is told this once. Repeating the key returns the same one."""
    return await enrol_machine(data)


@post(
    "/v1/check-ins",
    status_code=200,
    tags=["agents"],
    summary="Check in",
    security=_MACHINE,
    responses=_refused(**_BODY, s401="The token does not hold."),
)
async def check_in(data: CheckIn, request: AnyRequest, intake: Intake) -> Ack:
    """Takes "I am here, this is my profile's digest"; acknowledged after it was synced."""
    return await intake.check_in(machine_token(request), data)


@put(
    "/v1/profiles/{digest:str}",
    status_code=201,
    tags=["agents"],
    summary="Upload a profile that was asked for",
    security=_MACHINE,
    responses=_refused(
        **_BODY,
        s401="The token does not hold.",
        s403="This machine was not asked for this profile.",
        s409="The digest is not of these bytes.",
        s429="Too many new digests; see `Retry-After`.",
    ),
)
async def put_profile(
    digest: Annotated[
        str, Parameter(description="`sha256:` and 64 hex digits, of exactly the body.")
    ],
    data: Annotated[
        bytes, Body(description="A profile as canonical JSON (RFC 8785), at most 65,536 bytes.")
    ],
    request: AnyRequest,
    intake: Intake,
) -> Response[None]:
    """Keeps the bytes behind a digest and judges them."""
    await intake.put_profile(machine_token(request), digest, data)
    return Response(None, media_type=MediaType.TEXT)


@get(
    "/v1/machines/me",
    tags=["agents"],
    summary="This machine's standing",
    security=_MACHINE,
    responses=_refused(s401="The token does not hold."),
)
async def me(request: AnyRequest, intake: Intake) -> MachineView:
    """Findings, deadlines and fixes of the machine whose token asks."""
    return await intake.machine(machine_token(request))


@post(
    "/v1/machines/me/token",
    tags=["agents"],
    summary="Ask for the next token",
    security=_MACHINE,
    responses=_refused(
        **_BODY, s401="The key is not that of the machine of this token, or it has left."
    ),
)
async def renew(data: Renewal, request: AnyRequest, intake: Intake) -> Renewed:
    """Gives the next token for the enrolment key; the token shown may have ended by then."""
    return await intake.renew(machine_token(request), data)


@delete(
    "/v1/machines/me",
    tags=["agents"],
    summary="Leave",
    security=_MACHINE,
    responses=_refused(
        s401="The token does not hold, or has ended: to an agent that leaves the same.",
        s503="The server cannot write now; `Retry-After` says when to ask again.",
    ),
)
async def leave(request: AnyRequest, intake: Intake) -> None:
    """The machine's user uninstalled the agent: its token ends, its history stays.

    A machine that two laptops seem to share goes on for the other one.
    """
    await intake.leave(machine_token(request))


ROUTES = (enrol, check_in, put_profile, me, renew, leave)
"""All calls of agents."""
