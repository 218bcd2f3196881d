"""A receiver on loopback, and a scratch laptop that has one setting and no Claude Code."""

import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from agent.settings import Settings
from tests.agent.receiver import Receiver


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    """Answers every path by the protocol."""
    made = Receiver(httpserver.url_for("").rstrip("/"))
    httpserver.expect_request(re.compile(".*")).respond_with_handler(made.handle)
    return made


@pytest.fixture
def laptop(tmp_path: Path) -> Settings:
    """Settings of a scratch home whose user has set an effort level."""
    home, root = tmp_path / "home", tmp_path / "root"
    (home / ".claude").mkdir(parents=True)
    (home / ".claude" / "settings.json").write_text('{"effortLevel": "low"}')
    root.mkdir()
    return Settings(
        state_dir=tmp_path / "state",
        home=home,
        system_root=root,
        connect_timeout_s=5,
        http_timeout_s=5,
        spread_s=0,
        cycle_min_s=0.1,
    )
