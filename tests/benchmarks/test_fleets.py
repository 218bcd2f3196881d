"""Holds that a made fleet is what a server would have: by its own doctor, and row by row."""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select

from server.commands.known import current_of
from server.store.counts import differences, standings
from server.store.engine import open_engine
from server.store.reproduced import reproduce
from server.store.tables import (
    assignments,
    build_counts,
    counts,
    machines,
    presence,
    profiles,
    transitions,
    verdict_log,
    verdicts,
)
from tests.benchmarks import fleets
from tests.benchmarks.simulator.registry import Releases
from tests.e2e.fleet import Machine
from tests.e2e.harness import Server
from tests.e2e.waiting import wait_until
from tests.postgres import Postgres

WRITTEN_BY_A_LAPTOP = (
    machines,
    presence,
    profiles,
    verdicts,
    verdict_log,
    assignments,
    transitions,
    build_counts,
)

_RANDOM = re.compile(r"(sha256:)?[0-9a-f]{16,}")
_TIMES_FROM = 1_000_000_000


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all of these tests."""
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty database of each kind; None for a SQLite file to be made."""
    if request.param == "sqlite":
        return None
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.empty()


@pytest.mark.parametrize(("machine_count", "profile_count"), [(40, 7), (40, 40), (1, 1)])
def test_the_doctor_finds_nothing_wrong(
    url: str | None, tmp_path: Path, machine_count: int, profile_count: int
) -> None:
    """Counters equal a recount, and the judge says what the rows say, however shared."""
    made = fleets.make(tmp_path / "data", machine_count, profile_count, url)
    engine = open_engine(made.url)
    with engine.connect() as conn:
        assert not list(differences(conn))
        assert standings(conn) == {("default", "match"): machine_count}
        found = reproduce(conn, current_of(conn), int(time.time()))
    engine.dispose()
    assert not found.wrong
    assert (found.verdicts, found.machines, found.due) == (profile_count, machine_count, 0)
    assert len(made.tokens.read_text(encoding="ascii").splitlines()) == machine_count


def test_rows_are_what_a_laptop_leaves(tmp_path: Path) -> None:
    """A machine that enrolled and spoke over HTTP has the same rows, but for times and names."""
    with Releases(int(time.time()) - 86_400) as releases:
        server = Server(tmp_path / "server", npm_registry_url=releases.origin)
        with server:
            wait_until(lambda: str(fleets.HEAD.version) in server.get("/v1/status").text)
            laptop = Machine.enrol(server, "laptop-0000000")
            laptop.check_in(fleets.profile(0))
            laptop.check_in(fleets.profile(0))
    made = fleets.make(tmp_path / "made", 1, 1)
    assert _rows(made.url) == _rows(f"sqlite:///{server.database}")


def _rows(url: str) -> Mapping[str, Any]:
    engine = open_engine(url)
    with engine.connect() as conn:
        found = {table.name: _only_row(conn, table) for table in WRITTEN_BY_A_LAPTOP}
        counted = conn.execute(select(counts).where(counts.c.machines != 0)).all()
    engine.dispose()
    return found | {"counts": counted}


def _only_row(conn: Connection, table: Table) -> Mapping[str, object]:
    row = conn.execute(select(table)).one()._mapping
    return {name: _kind(value) for name, value in row.items() if name not in {"secret_id", "seq"}}


def _kind(value: object) -> object:
    """A value, or what kind it is of where no two runs have the same."""
    if isinstance(value, int) and value > _TIMES_FROM:
        return "a time"
    if isinstance(value, bytes):
        return re.sub(rb"\d{10}", b"a time", value)
    return "random" if isinstance(value, str) and _RANDOM.fullmatch(value) else value
