"""Who leads of several servers on one database, and that one who ceased to writes nothing."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Connection, text

from server.errors import StoreError
from server.leader import Leader
from server.store.engine import open_engine
from server.store.writer import Writer
from tests.postgres import Postgres
from tests.server.databases import Files

ADD = text("INSERT INTO counts VALUES ('g', 'match', 1)")


class Server:
    """A server's part of a database.

    Args:
        url: Its address.
        name: Of its connections.
    """

    def __init__(self, url: str, name: str = "first") -> None:
        address = url if url.startswith("sqlite") else f"{url}&application_name={name}"
        self.engine = open_engine(address)
        self.writer = Writer(self.engine)
        self.leader = Leader(self.engine, self.writer)
        self.led = self.writer.beginning_with(self.leader.check)

    def leads_at_last(self) -> None:
        """Returns as soon as it leads: it tries once a second, also where it was cut off."""
        leads = False
        while not leads:
            with contextlib.suppress(StoreError):
                leads = self.leader.leads()

    def close(self) -> None:
        """Lets go of all."""
        self.leader.close()
        self.writer.close()
        self.engine.dispose()


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """The address of a migrated database."""
    made = postgres.database()
    yield made
    postgres.drop(made)


@pytest.fixture
def first(url: str) -> Iterator[Server]:
    """The server that leads."""
    server = Server(url)
    assert server.leader.leads()
    yield server
    server.close()


@pytest.fixture
def second(url: str, first: Server) -> Iterator[Server]:
    """Another one."""
    assert first.leader.leads()
    server = Server(url, "second")
    yield server
    server.close()


def cut(url: str, name: str) -> None:
    """Ends a server's connections, as the silence of its host does."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = %s",
            [name],
        )


def add(conn: Connection) -> None:
    """Writes a row."""
    conn.execute(ADD)


def test_one_server_leads_until_it_ends(first: Server, second: Server) -> None:
    """Then another one does."""
    assert not second.leader.leads()
    assert first.leader.leads()
    first.leader.close()
    second.leads_at_last()
    assert not first.leader.leads()


def test_who_lost_the_lock_does_not_lead(url: str, first: Server, second: Server) -> None:
    """It is asked before each job: nothing else tells it."""
    cut(url, "first")
    second.leads_at_last()
    assert not first.leader.leads()
    second.leader.close()
    first.leads_at_last()


def test_a_job_under_way_writes_nothing_once_another_server_leads(
    url: str, first: Server, second: Server
) -> None:
    """It had asked whether it leads, and hung: its next transaction is refused."""
    first.led.run(lambda _: None).result()
    assert first.leader.leads()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND mode = 'ExclusiveLock'"
        )
    second.leads_at_last()
    with pytest.raises(StoreError, match="does not lead any more"):
        first.led.run(add).result()
    second.led.run(add).result()


def test_who_does_not_lead_may_not_write_as_if(first: Server, second: Server) -> None:
    """What everybody writes is written by everybody."""
    with pytest.raises(StoreError, match="does not lead any more"):
        second.led.run(add).result()
    second.writer.run(add).result()
    first.led.run(lambda _: None).result()


def test_the_only_server_of_a_file_always_leads(sqlite_files: Files) -> None:
    """From its start on."""
    server = Server(sqlite_files.database())
    assert server.leader.leads()
    assert server.leader.leads()
    server.led.run(add).result()
    server.close()
