"""Real parts for the tests of alerts: a database, its writer, changes, a Slack receiver."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Connection, Engine, create_engine

from agent.wire import FindingView, FixRef
from server.alerts.destinations.interface import Destination
from server.alerts.destinations.slack import Slack
from server.alerts.sender import Sender
from server.setting_values import Secret
from server.store.tables import metadata
from server.store.writer import Writer
from server.transitions import Transition

NOW = 1_777_000_000
HOOK = "/services/T000/B000/aVerySecretPath"

BEHIND = FindingView(
    code="build-behind",
    severity="drift",
    subject="npm global 2.1.240",
    sentence="the npm install 2.1.240 is behind: latest is 2.1.333",
    since=NOW - 90_000,
    deadline=NOW - 3_600,
    estimated=True,
    fix=FixRef("install", "npm", "2.1.333"),
)

_CHANGE = Transition(
    kind="machine",
    at=NOW,
    group="default",
    profile_id=7,
    before="match",
    after="drift",
    told=None,
    cause="build-behind",
    machines=1,
    labels=("anna-mbp",),
    findings=(BEHIND,),
    machine_id="m1",
)


@pytest.fixture
def change() -> Callable[..., Transition]:
    """Makes a machine's change from match to drift, with what the caller says otherwise."""
    return lambda **differs: replace(_CHANGE, **differs)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of a database with all tables."""
    address = f"sqlite:///{tmp_path / 'server.db'}"
    engine = create_engine(address)
    metadata.create_all(engine)
    engine.dispose()
    return address


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine on it."""
    engine = create_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back in the end."""
    with engine.connect() as conn:
        yield conn


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """The one writer of the database."""
    writer = Writer(engine)
    yield writer
    writer.close()


@pytest.fixture
def slack(httpserver: HTTPServer) -> Slack:
    """A destination whose webhook is the test's own receiver."""
    return Slack(Secret(httpserver.url_for(HOOK)))


@pytest.fixture
def sender(engine: Engine, writer: Writer, slack: Slack) -> Callable[..., Sender]:
    """Makes a sender with a clock that stands still and a repeatable back-off."""

    def make(destination: Destination | None = slack) -> Sender:
        return Sender(engine, writer, destination, lambda: 0.0, random.Random(7))  # noqa: S311 - repeatable

    return make
