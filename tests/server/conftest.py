"""A real server for the tests of the server's outside."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.server.databases import Files
from tests.server.live import Live


@dataclass(frozen=True)
class Known:
    """What a test needs to talk to the shared server.

    Attributes:
        live: The server.
        secret: For enrolments.
        viewer: A viewer's token.
        operator: The token of an operator named Olga.
        machine: The token of one machine.
    """

    live: Live
    secret: str
    viewer: str
    operator: str
    machine: str


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """One running server for all tests that leave it as it was; bodies have half a second."""
    folder: Path = tmp_path_factory.mktemp("server") / "data"
    live = Live(folder, body_timeout_s="0.5").start()
    secret = live.printed("enrolment-secret", "create")
    viewer = live.printed("token", "create", "tests")
    operator = live.printed("token", "create", "Olga", "--operator")
    yield Known(live, secret, viewer, operator, live.enrol("known", "0" * 32, secret))
    assert live.stop() == 0


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """SQLite databases for all tests."""
    return Files(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests that leave it running."""
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A server of the test's own, not started yet."""
    server = Live(tmp_path / "data")
    yield server
    if server.process is not None:
        server.stop()
