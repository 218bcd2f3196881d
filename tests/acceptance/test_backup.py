"""The drill: a server loses its disk, and gets back what it had some time before."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import create_engine, text

from tests.e2e.harness import Laptop, Server
from tests.postgres import Postgres

HOUR = 3_600


class Database(Protocol):
    """A database with the tools by which it is copied and put back."""

    @property
    def server(self) -> Server:
        """The server that works on it."""
        ...

    @property
    def url(self) -> str:
        """Its address for SQLAlchemy."""
        ...

    def copy(self) -> None:
        """Copies it beside the running server."""
        ...

    def lose(self) -> None:
        """Destroys what there is now."""
        ...

    def put_back(self) -> str:
        """Puts the copy in its place; what the last command says."""
        ...


@dataclass(frozen=True)
class SqliteFile:
    """A file, by the server's own commands."""

    server: Server

    @property
    def url(self) -> str:
        """As `Database.url`."""
        return f"sqlite:///{self.server.database}"

    def copy(self) -> None:
        """As `Database.copy`."""
        succeeded(self.server.command("backup", self.server.folder / "copy.db"))

    def lose(self) -> None:
        """As `Database.lose`."""
        self.server.database.write_bytes(b"the disk is gone")

    def put_back(self) -> str:
        """As `Database.put_back`."""
        return succeeded(self.server.command("restore", self.server.folder / "copy.db"))


@dataclass(frozen=True)
class Dumped:
    """A database of PostgreSQL, by PostgreSQL's tools and one command after them."""

    server: Server
    postgres: Postgres

    @property
    def address(self) -> str:
        """For PostgreSQL's tools and the server."""
        return str(self.server.settings["database_url"])

    @property
    def url(self) -> str:
        """As `Database.url`."""
        return self.address.replace("postgresql:", "postgresql+psycopg:", 1)

    @property
    def dump(self) -> Path:
        """Where PostgreSQL's user may write."""
        return self.postgres.data / "copy.dump"

    def copy(self) -> None:
        """As `Database.copy`."""
        self.postgres.tool("pg_dump", "--format=custom", f"--file={self.dump}", self.address)

    def lose(self) -> None:
        """As `Database.lose`."""
        self.postgres.drop(self.address)

    def put_back(self) -> str:
        """As `Database.put_back`."""
        somewhere = self.postgres.url("postgres")
        words = ("--clean", "--if-exists", "--create", f"--dbname={somewhere}")
        self.postgres.tool("pg_restore", *words, self.dump)
        succeeded(self.server.command("migrate"))
        return succeeded(self.server.command("restore", "--by-other-tools"))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteFile]:
    """With a server that reads no source: what is public does not matter here."""
    with Server(tmp_path / "server").start() as running:
        yield SqliteFile(running)


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Dumped]:
    """The same on a PostgreSQL of its own."""
    postgres = Postgres().start()
    try:
        with Server(tmp_path / "server", database_url=postgres.empty()).start() as running:
            yield Dumped(running, postgres)
    finally:
        postgres.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A database of every kind, with a running server."""
    found: Database = request.getfixturevalue(request.param)
    return found


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What a command says of what it did."""
    assert done.returncode == 0, done.stderr
    return done.stderr


def set_model(laptop: Laptop, model: str) -> None:
    """Changes a setting that changes what Claude Code does, hence the laptop's profile."""
    folder = laptop.home / ".claude"
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(json.dumps({"model": model}), encoding="utf-8")


def seen(server: Server) -> dict[str, tuple[str, list[str]]]:
    """How each machine stands and which overrides it has, as the server tells."""
    listed = server.get("/v1/machines").json()["machines"]
    told: dict[str, dict[str, Any]] = {
        each["label"]: server.machine(each["label"]) for each in listed
    }
    return {
        label: (each["standing"], [item["key"] for item in each["config"].get("overrides", ())])
        for label, each in told.items()
    }


def well(server: Server) -> str:
    """What the doctor says of a database that is right in all."""
    said = server.command("doctor", "--recount").stdout
    assert "equal to a recount of all machines" in said, said
    assert "are what the judge says now" in said, said
    return said


def drew(database: Database) -> int:
    """How many machines drew a new epoch."""
    engine = create_engine(database.url)
    with engine.connect() as conn:
        found = conn.execute(text("SELECT count(*) FROM machines WHERE past_epochs <> ''"))
        number = int(found.scalar_one())
    engine.dispose()
    return number


def test_agents_find_their_way_to_a_server_that_was_put_back(
    database: Database, tmp_path: Path
) -> None:
    """Nothing acknowledged after the backup is believed or doubled, and nobody types a thing."""
    server = database.server
    stays, changes, returns, late = (
        Laptop(tmp_path / label, label=label) for label in ("stays", "changes", "returns", "late")
    )
    early = (stays, changes, returns)
    for laptop in early:
        laptop.enrol(server).run("check")
    database.copy()

    server.move_clock(HOUR)
    stays.run("check")
    set_model(changes, "opus")
    changes.run("check")
    set_model(returns, "opus")
    returns.run("check")
    (returns.home / ".claude" / "settings.json").unlink()
    returns.run("check")
    late.enrol(server).run("check")
    before = seen(server)
    assert before["changes"][1] == ["model"]
    assert before["returns"][1] == []
    assert server.stop() == 0

    database.lose()
    assert "3 machines count as they stood then" in database.put_back()
    server.start()
    assert "machines that count as they stood then: 3" in well(server)
    assert seen(server)["changes"][1] == []

    for laptop in early:
        done = laptop.run("check")
        assert "enrol" not in done.stderr, done.stderr
    assert "every machine has spoken since" in well(server)
    assert seen(server) == {label: before[label] for label in ("stays", "changes", "returns")}
    took = {
        laptop.label: [each["kind"] for each in server.machine(laptop.label)["timeline"]].count(
            "profile"
        )
        for laptop in early
    }
    assert took == {"stays": 1, "changes": 2, "returns": 1}
    assert drew(database) == 3
    refused = late.run("check")
    assert refused.returncode != 0
    assert "enrol --again" in refused.stdout + refused.stderr
    done = late.run(
        "enrol",
        "--again",
        "--server",
        server.url,
        "--label",
        "late",
        "--secret-file",
        server.secret_file,
    )
    assert done.returncode == 0, done.stderr
    late.run("check")
    assert set(seen(server)) == set(before)
    well(server)
