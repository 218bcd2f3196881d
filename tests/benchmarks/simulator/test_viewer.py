"""Holds what somebody saw who looked at the status."""

import time
from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.benchmarks.simulator.viewer import Look, Viewer, seen

TOKEN = "a token"  # noqa: S105 - of nobody
TIMEOUT_S = 30


def test_looks_count_for_the_time_in_which_they_were() -> None:
    """One that began before or ended after it is of another time."""
    looks = [Look(9.0, 2.0, 0), Look(10.0, 0.5, 200), Look(12.0, 0.1, 503), Look(19.9, 0.5, 0)]
    found = seen(looks, 10.0, 20.0)
    assert (found.spans.count, found.spans.longest, found.errors) == (1, 0.5, 1)


def test_a_viewer_looks_with_its_token_until_it_is_ended(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    """What it saw is there when it has ended."""
    heads = {"Authorization": f"Bearer {TOKEN}"}
    httpserver.expect_request("/v1/status", headers=heads).respond_with_data("{}")
    with Viewer(httpserver.url_for(""), TOKEN, 0.01, tmp_path / "looks") as viewer:
        ends = time.monotonic() + TIMEOUT_S
        while not viewer.looks():
            assert time.monotonic() < ends, "nobody looked"
    assert {each.status for each in viewer.looks()} == {200}
