"""The HTTP application: Litestar with its routes, errors and OpenAPI document.

Nothing of it is asked for a check-in: the front door answers those. Parts that routes need
are handed in, so that the application starts and owns nothing.
"""

from typing import Any

import structlog
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, OpenAPI, Schema, SecurityScheme

from agent import __version__
from agent.wire import Sent
from server.intake import Intake
from server.views.api import agents, history, operators, refusals, viewers
from server.views.api.reading import Enrol, Reads
from server.views.api.request import StrictRequest
from server.views.api.writing import Writes
from server.views.asked import Asked
from server.views.pages import routes as pages
from server.views.pages.laptop import Here

_log = structlog.stdlib.get_logger("server.app")

_ABOUT = """What agents, viewers and operators ask of a Build Parity server.

All times are whole seconds since the Unix epoch, UTC; a name that ends in `_s` is a span
in seconds. Agents send a machine token, readers a viewer token, and who changes what is
expected an operator token, which reads as well; all as `Authorization: Bearer`. Every
answer of 400 and above is a `Refusal`."""


@get("/healthz", tags=["operators"], summary="Whether the server answers")
async def healthz() -> dict[str, str]:
    """Always `ok`: a server that cannot say so does not answer."""
    return {"state": "ok"}


def make_app(
    intake: Intake, enrol_machine: Enrol, reads: Reads, writes: Writes, here: Here
) -> Litestar:
    """The HTTP application without the front door.

    Args:
        intake: Takes what machines send.
        enrol_machine: Makes a machine known.
        reads: What viewers read from.
        writes: What operators change things with.
        here: What this server does with what laptops send.
    """
    app = Litestar(
        [
            healthz,
            *agents.ROUTES,
            *viewers.ROUTES,
            *history.ROUTES,
            *operators.ROUTES,
            *pages.ROUTES,
        ],
        dependencies={
            "intake": Provide(lambda: intake, sync_to_thread=False),
            "enrol_machine": Provide(lambda: enrol_machine, sync_to_thread=False),
            "reads": Provide(lambda: reads, sync_to_thread=False),
            "writes": Provide(lambda: writes, sync_to_thread=False),
            "here": Provide(lambda: here, sync_to_thread=False),
        },
        state=State({"reads": reads}),
        request_class=StrictRequest,
        exception_handlers={Exception: _answer_error},
        openapi_config=_openapi(),
        logging_config=None,
    )
    _say_that_unknown_fields_are_refused(app.openapi_schema)
    return app


def _say_that_unknown_fields_are_refused(document: OpenAPI) -> None:
    # Litestar does not read `forbid_unknown_fields` off a struct.
    sent = {each.__name__ for base in (Sent, Asked) for each in base.__subclasses__()}
    for name, schema in document.components.schemas.items():
        if name in sent and isinstance(schema, Schema):
            schema.additional_properties = False


def _answer_error(_: Request[Any, Any, State], error: Exception) -> Response[bytes]:
    refused = refusals.of(error)
    if refused.status == 500:  # noqa: PLR2004 - the one that is our mistake
        _log.error("request failed", exc_info=error)
    allowed = error.headers if isinstance(error, HTTPException) and error.headers else {}
    reply = refusals.told(refused, *((name.lower(), value) for name, value in allowed.items()))
    return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))


def _openapi() -> OpenAPIConfig:
    token = SecurityScheme(type="http", scheme="bearer")
    return OpenAPIConfig(
        title="Build Parity",
        version=__version__,
        description=_ABOUT,
        path="/schema",
        render_plugins=[JsonRenderPlugin()],
        components=Components(
            security_schemes=dict.fromkeys(("machine", "viewer", "operator"), token)
        ),
    )
