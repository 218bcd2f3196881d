"""The calls that viewers make: people with curl, pages and other programs."""

from typing import Annotated

from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from sqlalchemy import Connection

from agent.wire import Name, Refusal, Standing
from server.errors import RequestRefused
from server.store import read
from server.views import activity, machines, releases, status, versions
from server.views.api import facts
from server.views.api.reading import Reads
from server.views.api.request import READER, needs_viewer

MACHINES_MAX = 200
"""Most machines on one page."""

_NOT_SIGNED_IN = {
    401: ResponseSpec(Refusal, description="No viewer token, or one that does not hold.")
}
_BAD_PARAMETER = {422: ResponseSpec(Refusal, description="A parameter cannot be used.")}
_NOT_FOUND = {404: ResponseSpec(Refusal, description="There is no such machine.")}


@get(
    "/v1/status",
    tags=["viewers"],
    summary="The whole fleet now",
    guards=[needs_viewer],
    security=READER,
    responses=_NOT_SIGNED_IN,
)
async def get_status(reads: Reads) -> status.StatusView:
    """Counts by standing, share, heads and their ages, sources, alerts."""
    fleet = await reads.run(lambda conn: facts.fleet(conn, reads.sources))
    current = reads.current
    return status.view(fleet, current.ledger, reads.clock(), current.policies)


@get(
    "/v1/machines",
    tags=["viewers"],
    summary="Machines, page by page",
    guards=[needs_viewer],
    security=READER,
    responses=_NOT_SIGNED_IN | _BAD_PARAMETER,
)
async def get_machines(
    reads: Reads,
    standing: Annotated[
        Standing | None, Parameter(description="Only machines that stand so.")
    ] = None,
    group: Annotated[Name | None, Parameter(description="Only machines of this group.")] = None,
    after: Annotated[str, Parameter(description="`next` of the page before.", max_length=64)] = "",
    limit: Annotated[int, Parameter(description="Most machines told.", ge=1, le=MACHINES_MAX)] = (
        MACHINES_MAX
    ),
) -> machines.MachinesView:
    """In the order of their ids; a page that is not the last names the next one.

    Of a large fleet a page can be short, or empty, and yet name the next one: each is picked
    from a bounded number of machines.
    """

    def view(conn: Connection) -> machines.MachinesView:
        upto = read.bound(conn, after)
        rows = read.machines_page(
            conn, after=after, upto=upto, limit=limit + 1, group=group, standing=standing
        )
        return machines.page(facts.listed(conn, rows, reads.clock()), limit, upto)

    return await reads.run(view)


@get(
    "/v1/machines/{machine:str}",
    tags=["viewers"],
    summary="One machine",
    guards=[needs_viewer],
    security=READER,
    responses=_NOT_SIGNED_IN | _NOT_FOUND,
)
async def get_machine(
    reads: Reads, machine: Annotated[str, Parameter(description="Its id.")]
) -> machines.MachineHistoryView:
    """Standing, findings, installs, overrides, and what happened to it."""
    seen = await reads.run(lambda conn: facts.machine(conn, reads.current, machine, reads.clock()))
    if seen is None:
        raise RequestRefused(
            "there is no machine with this id", advice="see GET /v1/machines", status=404
        )
    return seen


@get(
    "/v1/releases",
    tags=["viewers"],
    summary="What is public",
    guards=[needs_viewer],
    security=READER,
    responses=_NOT_SIGNED_IN | _BAD_PARAMETER,
)
async def get_releases(
    reads: Reads,
    limit: Annotated[
        int, Parameter(description="Most releases told.", ge=1, le=releases.RELEASES_MAX)
    ] = 30,
) -> releases.ReleasesView:
    """The newest releases with their files, and every head."""
    return releases.view(reads.current.ledger, limit)


@get(
    "/v1/activity",
    tags=["viewers"],
    summary="How much builds are used",
    guards=[needs_viewer],
    security=READER,
    responses=_NOT_SIGNED_IN | _BAD_PARAMETER,
)
async def get_activity(
    reads: Reads,
    group: Annotated[Name | None, Parameter(description="Only use in this group.")] = None,
    days: Annotated[
        int, Parameter(description="So many days, today included.", ge=1, le=activity.DAYS_MAX)
    ] = activity.DAYS,
) -> activity.ActivityView:
    """Hours and starts by version and surface, and the share on the public build."""
    now = reads.clock()
    return await reads.run(lambda conn: facts.used(conn, reads.current, days, now, group))


@get(
    "/v1/versions",
    tags=["viewers"],
    summary="How many machines have which version",
    guards=[needs_viewer],
    security=READER,
    responses=_NOT_SIGNED_IN | _BAD_PARAMETER,
)
async def get_versions(
    reads: Reads,
    group: Annotated[Name | None, Parameter(description="Only machines of this group.")] = None,
    days: Annotated[
        int, Parameter(description="So many days, today included.", ge=1, le=activity.DAYS_MAX)
    ] = activity.DAYS,
) -> versions.VersionsView:
    """By version and group, now and at the end of each day."""
    now = reads.clock()
    return await reads.run(lambda conn: facts.versions(conn, reads.current, days, now, group))


ROUTES = (get_status, get_machines, get_machine, get_releases, get_activity, get_versions)
"""All calls of viewers."""
