"""Databases for the tests of the store: each test runs on every kind."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine

from server.store.engine import open_engine, writable
from tests.postgres import Postgres
from tests.server.databases import Files, Fresh, NewDatabase
from tests.server.shop import Shop


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Makes databases that end with the test."""
    name = {"sqlite": "sqlite_files", "postgresql": "postgres"}[request.param]
    kept: Files | Postgres = request.getfixturevalue(name)
    made: list[str] = []

    def new() -> str:
        made.append(kept.database())
        return made[-1]

    yield new
    for url in made:
        kept.drop(url)


@pytest.fixture
def database(new_database: NewDatabase) -> str:
    """The address of a migrated database without a row in it."""
    return new_database()


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """That database, opened."""
    engine = open_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def fresh(engine: Engine) -> Fresh:
    """Connects to an empty store, for each example anew."""

    @contextmanager
    def connected() -> Iterator[Connection]:
        with writable(engine) as conn:
            yield conn
            conn.rollback()

    return connected


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """A connection to an empty store."""
    with writable(engine) as conn:
        yield conn


@pytest.fixture
def shop(database: str) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(database)
    yield shop
    shop.close()
