"""The page at the bare address, asked of a real server."""

import requests

from server.views.pages import start
from tests.server.conftest import Known
from tests.server.live import PATIENCE_S, refusal
from tests.server.views.pages.reading import read


def test_the_bare_address_leads_to_all_pages(known: Known) -> None:
    """Each of its links is answered."""
    told = requests.get(f"{known.live.url}/", timeout=PATIENCE_S)
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/html")
    assert told.text == start.page().html
    links = [each for each in read(told.text).links if not each.startswith("#")]
    assert links == ["help", "laptop", "schema"]
    for link in links:
        assert requests.get(f"{known.live.url}/{link}", timeout=PATIENCE_S).ok


def test_an_unknown_path_stays_an_answer_for_programs(known: Known) -> None:
    """An agent that was given an address with a path is told to leave it out."""
    told = requests.post(f"{known.live.url}/foo/v1/enrolments", json={}, timeout=PATIENCE_S)
    assert told.status_code == 404
    assert refusal(told.content).advice == (
        "give the server's address without a path; see /schema for what there is"
    )
