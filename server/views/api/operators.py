"""The calls by which operators say what is expected of machines; viewers may read the lists.

Who changed something is the name of the token that asked, so that nobody signs for another.
"""

import secrets
from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from sqlalchemy import Connection

from agent.wire import MachineView, Name, Refusal
from server.errors import RequestRefused
from server.store import fleet, read, references, waivers
from server.store.live import check_live
from server.views import expected
from server.views.api import facts
from server.views.api.reading import Reads
from server.views.api.request import READER, needs_operator, needs_viewer, operator_of
from server.views.api.writing import Writes
from server.views.asked import GroupAsked, WaiverAsked
from server.views.expected import GivenWaiver, ReferencesView, ReferenceView, WaiversView
from server.waivers import Waiver

WAIVERS_MAX = 200
"""Most waivers on one page."""

AnyRequest = Request[Any, Any, State]
MachineId = Annotated[str, Parameter(description="The machine's id.")]
GroupName = Annotated[Name, Parameter(description="The group that is compared with it.")]

_OPERATOR: list[dict[str, list[str]]] = [{"operator": []}]


def _refused(**said: str) -> dict[int, ResponseSpec]:
    return {
        int(status.removeprefix("s")): ResponseSpec(
            Refusal, description=text, generate_examples=False
        )
        for status, text in said.items()
    }


_READS = _refused(
    s401="No viewer or operator token, or one that does not hold.",
    s422="A parameter cannot be used.",
)
_CHANGES = {
    "s401": "No operator token, or one that does not hold.",
    "s403": "A viewer's token changes nothing.",
    "s503": "The server cannot write now; `Retry-After` says when to ask again.",
}
_SENDS = {
    "s400": "The body is no JSON, or ended too early.",
    "s413": "The body is too large.",
    "s415": "The body does not say that it is JSON.",
    "s422": "The body is not the message that this call takes; `path` says where.",
}


@get(
    "/v1/waivers",
    tags=["operators"],
    summary="Waivers, page by page",
    guards=[needs_viewer],
    security=READER,
    responses=_READS,
)
async def get_waivers(
    reads: Reads,
    *,
    machine: Annotated[str | None, Parameter(description="Only those of this machine.")] = None,
    ended: Annotated[bool, Parameter(description="Also those that hold no more.")] = False,
    after: Annotated[str, Parameter(description="`next` of the page before.", max_length=64)] = "",
    limit: Annotated[int, Parameter(description="Most waivers told.", ge=1, le=WAIVERS_MAX)] = (
        WAIVERS_MAX
    ),
) -> WaiversView:
    """Those that hold; with `ended` every one that was ever given."""
    now = reads.clock()
    found = await reads.run(
        lambda conn: waivers.page(
            conn,
            after=after,
            limit=limit + 1,
            machine_id=machine,
            holding_at=None if ended else now,
        )
    )
    return expected.page([facts.given(item, now) for item in found], limit)


@post(
    "/v1/machines/{machine:str}/waivers",
    tags=["operators"],
    summary="Permit a machine to differ",
    guards=[needs_operator],
    security=_OPERATOR,
    responses=_refused(
        **_CHANGES,
        **_SENDS,
        s404="There is no such machine.",
        s409="It has left, or a waiver holds for the same.",
    ),
)
async def give_waiver(
    machine: MachineId, data: WaiverAsked, request: AnyRequest, writes: Writes
) -> GivenWaiver:
    """Until a moment that is at most 90 days away; it ends by itself and is never renewed."""

    def work(conn: Connection, now: int) -> GivenWaiver:
        asked = Waiver(
            id=secrets.token_hex(4),
            code=data.code,
            subject=data.subject,
            reason=data.reason,
            person=operator_of(request),
            since=now,
            until=data.until,
        )
        given = waivers.give(conn, machine, asked)
        fleet.restand(conn, writes.current, machine, now)
        return facts.given(given, now)

    return await writes.run(work)


@delete(
    "/v1/waivers/{waiver:str}",
    status_code=200,
    tags=["operators"],
    summary="End a waiver before its time",
    guards=[needs_operator],
    security=_OPERATOR,
    responses=_refused(
        **_CHANGES, s404="There is no such waiver.", s409="It does not hold any more."
    ),
)
async def end_waiver(
    waiver: Annotated[str, Parameter(description="Its id.")], request: AnyRequest, writes: Writes
) -> GivenWaiver:
    """It stays in the list of those that ended, with who ended it."""

    def work(conn: Connection, now: int) -> GivenWaiver:
        given = waivers.take_back(conn, waiver, operator_of(request), now)
        fleet.restand(conn, writes.current, given.machine, now)
        return facts.given(given, now)

    return await writes.run(work)


@put(
    "/v1/machines/{machine:str}/group",
    tags=["operators"],
    summary="Put a machine into a group",
    guards=[needs_operator],
    security=_OPERATOR,
    responses=_refused(**_CHANGES, **_SENDS, s404="There is no such machine.", s409="It has left."),
)
async def move_machine(machine: MachineId, data: GroupAsked, writes: Writes) -> MachineView:
    """It is judged by that group's policy from now on; the answer is how it stands there."""

    def work(conn: Connection, now: int) -> MachineView:
        check_live(conn, machine)
        fleet.move_to_group(conn, writes.current, machine, data.group, now)
        seen = read.machine_view(conn, writes.current, machine, now)
        assert seen is not None  # noqa: S101 - it is here, as was checked above
        return seen

    return await writes.run(work)


@get(
    "/v1/references",
    tags=["operators"],
    summary="Reference machines",
    guards=[needs_viewer],
    security=READER,
    responses=_READS,
)
async def get_references(
    reads: Reads,
    group: Annotated[Name | None, Parameter(description="Only those of this group.")] = None,
) -> ReferencesView:
    """The machines that stand for what the users of each group run."""
    found = await reads.run(lambda conn: references.listed(conn, group))
    return ReferencesView(tuple(map(facts.reference, found)))


@put(
    "/v1/references/{group:str}/{machine:str}",
    tags=["operators"],
    summary="Have a machine stand for what users run",
    guards=[needs_operator],
    security=_OPERATOR,
    responses=_refused(
        **_CHANGES,
        s404="There is no such machine.",
        s409="It has left, or the group has as many as it may.",
        s422="This cannot name a group.",
    ),
)
async def add_reference(group: GroupName, machine: MachineId, writes: Writes) -> ReferenceView:
    """All of the group are judged again within about a second; asking twice changes nothing."""

    def work(conn: Connection, now: int) -> ReferenceView:
        references.add(conn, group, machine, now)
        found = references.listed(conn, group)
        return next(facts.reference(each) for each in found if each.machine == machine)

    return await writes.run(work)


@delete(
    "/v1/references/{group:str}/{machine:str}",
    tags=["operators"],
    summary="Have a machine no longer stand for what users run",
    guards=[needs_operator],
    security=_OPERATOR,
    responses=_refused(**_CHANGES, s404="It does not stand for this group."),
)
async def remove_reference(group: GroupName, machine: MachineId, writes: Writes) -> None:
    """What was learned from it alone is trusted no more."""
    if not await writes.run(lambda conn, now: references.remove(conn, group, machine, now)):
        raise RequestRefused(
            "this machine does not stand for this group",
            advice="see GET /v1/references",
            status=404,
        )


ROUTES = (
    get_waivers,
    give_waiver,
    end_waiver,
    move_machine,
    get_references,
    add_reference,
    remove_reference,
)
"""All calls about what is expected of single machines."""
