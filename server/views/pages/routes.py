"""The pages that anybody may read."""

from litestar import MediaType, Response, get

from agent.wire import Meanings
from server.meanings import meanings
from server.views.pages import help as help_page
from server.views.pages import laptop, start
from server.views.pages.laptop import Here


@get("/", include_in_schema=False, sync_to_thread=False)
def get_start() -> Response[str]:
    """Where the pages are."""
    made = start.page()
    return Response(made.html, media_type=MediaType.HTML, headers=dict(made.headers))


@get("/help", include_in_schema=False, sync_to_thread=False)
def get_help() -> Response[str]:
    """What each standing and finding means, for people."""
    made = help_page.page(meanings())
    return Response(made.html, media_type=MediaType.HTML, headers=dict(made.headers))


@get("/laptop", include_in_schema=False, sync_to_thread=False)
def get_laptop(here: Here) -> Response[str]:
    """What is read, sent and kept of a laptop, for whose it is."""
    made = laptop.page(here)
    return Response(made.html, media_type=MediaType.HTML, headers=dict(made.headers))


@get(
    "/v1/meanings",
    tags=["operators"],
    summary="What each word of a verdict means",
    sync_to_thread=False,
)
def get_meanings() -> Meanings:
    """Standings, findings, severities and trust, with what to do; needs no token."""
    return meanings()


ROUTES = (get_start, get_help, get_laptop, get_meanings)
"""Everything that explains; nothing of it is about a machine."""
