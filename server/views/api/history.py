"""The calls that ask for a moment of the past."""

from typing import Annotated

from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from agent.wire import Name, Refusal
from server.errors import RequestRefused
from server.views import history as views
from server.views.api import past
from server.views.api.reading import Reads
from server.views.api.request import READER, needs_viewer

_REFUSED = {
    401: ResponseSpec(Refusal, description="No viewer token, or one that does not hold."),
    422: ResponseSpec(Refusal, description="A parameter cannot be used."),
}
_NOT_FOUND = {404: ResponseSpec(Refusal, description="There is no such machine.")}

_MOMENT = Parameter(
    description="ISO 8601 with an offset or Z, or whole seconds since the epoch.", max_length=200
)


@get(
    "/v1/machines/{machine:str}/at",
    tags=["viewers"],
    summary="One machine at a moment of the past",
    guards=[needs_viewer],
    security=READER,
    responses=_REFUSED | _NOT_FOUND,
)
async def get_machine_at(
    reads: Reads,
    machine: Annotated[str, Parameter(description="Its id.")],
    at: Annotated[str, _MOMENT],
) -> views.MachineAtView:
    """Standing and findings, as they were told then; nothing is judged anew."""
    moment = views.moment_of(at, reads.clock())
    seen = await reads.run(lambda conn: past.machine_at(conn, machine, moment))
    if seen is None:
        raise RequestRefused(
            "there is no machine with this id", advice="see GET /v1/machines", status=404
        )
    return seen


@get(
    "/v1/share",
    tags=["viewers"],
    summary="The share of matching machines, now or at a moment of the past",
    guards=[needs_viewer],
    security=READER,
    responses=_REFUSED,
)
async def get_share(
    reads: Reads,
    at: Annotated[str | None, _MOMENT] = None,
    group: Annotated[Name | None, Parameter(description="Only machines of this group.")] = None,
) -> views.ShareView:
    """Counts by standing and share; of the past as the minute began, which `as_of` tells."""
    now = reads.clock()
    moment = None if at is None else views.moment_of(at, now)
    return await reads.run(lambda conn: past.share(conn, moment, now, group))


@get(
    "/v1/heads",
    tags=["viewers"],
    summary="What was public at a moment",
    guards=[needs_viewer],
    security=READER,
    responses=_REFUSED,
)
async def get_heads(reads: Reads, at: Annotated[str | None, _MOMENT] = None) -> views.HeadsView:
    """What every channel of every source pointed to, with when that had last been read."""
    now = reads.clock()
    return views.heads(reads.current.ledger, now if at is None else views.moment_of(at, now))


ROUTES = (get_machine_at, get_share, get_heads)
"""All calls about the past."""
