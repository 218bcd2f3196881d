"""Two server processes on one PostgreSQL: who leads, and what the other one knows."""

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from pytest_httpserver import HTTPServer

from agent.digest import canonical
from agent.wire import Build, Profile
from server.settings import LIMITS
from server.store import schema
from tests.e2e.waiting import wait_until
from tests.postgres import Postgres
from tests.server.asking import DIGEST, PROFILE, check_in, signed
from tests.server.live import PATIENCE_S, ROOT, Live
from tests.server.releases.conftest import Registry, manifest
from tests.server.shop import digest_of, profile

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{newest}"


def upgrade() -> None:
    op.add_column("machines", sa.Column("mood", sa.BigInteger(), nullable=True))
    op.add_column("presence", sa.Column("mood", sa.BigInteger(), server_default=sa.text("7")))
    op.create_table("moods", sa.Column("id", sa.BigInteger(), primary_key=True))
"""

RUNS = "2.1.240"
NEWER = "2.1.330"

LATEST = '[default]\nchannel = "latest"\n'
STABLE = '[default]\nchannel = "stable"\n'


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """The address of a migrated database."""
    made = postgres.database()
    yield made
    postgres.drop(made)


@pytest.fixture
def registry(httpserver: HTTPServer) -> Registry:
    """Where the leader reads the head, which is `RUNS` at first."""
    made = Registry(httpserver)
    made.add_sdk("0.3.240", RUNS)
    made.tag("latest", RUNS)
    return made


@pytest.fixture
def servers(url: str, tmp_path: Path, registry: Registry) -> Iterator[tuple[Live, Live]]:
    """Two on that database, with one policy file; the first leads."""
    (tmp_path / "policy.toml").write_text(LATEST)
    first, second = (
        Live(
            tmp_path / name,
            database_url=url,
            policy_file=str(tmp_path / "policy.toml"),
            npm_registry_url=registry.url,
            heads_every_s="1",
        )
        for name in ("first", "second")
    )
    for each in (first, second):
        each.folder.mkdir()
        each.start()
        wait_until(partial(decided, each))
    yield first, second
    for each in (first, second):
        if each.process is not None:
            each.stop()


def events(live: Live) -> set[str]:
    """What it logged."""
    return set(re.findall(r'"event": "([^"]*)"', live.log))


def decided(live: Live) -> set[str]:
    """Whether it leads or follows; nothing until it knows."""
    return events(live) & {"leads", "follows"}


def asked(url: str, query: str) -> list[tuple[object, ...]]:
    """What the database says."""
    with psycopg.connect(url) as conn:
        return conn.execute(query.encode()).fetchall()


def channel(live: Live, token: str) -> str:
    """The channel that a laptop is expected to follow, as a server knows it."""
    return str(live.get("/v1/machines/me", token)["channel"])


def test_another_server_leads_when_the_leader_dies(servers: tuple[Live, Live], url: str) -> None:
    """Killed, it lets go at once; the other draws a term of its own."""
    first, second = servers
    assert "leads" in events(first)
    assert decided(second) == {"follows"}
    before = asked(url, "SELECT term FROM current_numbers")
    assert first.process is not None
    assert first.process.stdout is not None
    first.process.kill()
    first.process.wait(PATIENCE_S)
    first.process.stdout.close()
    first.process = None
    wait_until(lambda: "leads" in events(second))
    assert asked(url, "SELECT term FROM current_numbers") != before
    first.start()
    wait_until(lambda: "follows" in events(first))


def test_a_server_with_the_fewest_connections_serves(url: str, tmp_path: Path) -> None:
    """One writes, one is what it leads by: the others have to read."""
    fewest, _ = LIMITS["database_connections_max"]
    live = Live(tmp_path / "data", database_url=url, database_connections_max=str(fewest))
    live.folder.mkdir()
    live.start()
    wait_until(lambda: decided(live) == {"leads"})
    token = live.enrol("anna", "0" * 32, live.printed("enrolment-secret", "create"))
    assert wanted(live, token, 1) == [DIGEST]
    upload(live, token)
    assert channel(live, token) == "latest"
    assert live.stop() == 0


def test_a_server_goes_on_by_its_own_policy_once_none_leads_with_a_newer_one(
    servers: tuple[Live, Live], url: str
) -> None:
    """What it does not take had stopped it; its own file is in force as soon as it leads."""
    first, second = servers
    token = second.enrol("anna", "0" * 32, first.printed("enrolment-secret", "create"))
    with psycopg.connect(url) as conn:
        conn.execute(
            "INSERT INTO policy_loads (at, origin, digest, body)"
            " VALUES (extract(epoch FROM now())::bigint, 'policy.toml', 'd', '[moods]')"
        )
        conn.execute("UPDATE current_numbers SET policies = policies + 1")
    wait_until(lambda: "does not take the policy in force" in second.log)
    assert first.stop() == 0
    wait_until(lambda: "leads" in events(second))
    wait_until(lambda: try_check_in(second, token, 1, PROFILE).status_code == 200)
    assert channel(second, token) == "latest"


def test_a_changed_policy_is_in_force_everywhere(
    servers: tuple[Live, Live], tmp_path: Path
) -> None:
    """The leader loads the file, the follower what was recorded."""
    first, second = servers
    token = second.enrol("anna", "0" * 32, first.printed("enrolment-secret", "create"))
    assert channel(second, token) == "latest"
    (tmp_path / "policy.toml").write_text(STABLE)
    wait_until(lambda: channel(second, token) == "stable")
    assert "policy loaded" in events(first)
    assert "policy loaded" not in events(second)


def test_a_head_that_the_leader_reads_changes_what_the_other_one_tells(
    servers: tuple[Live, Live], registry: Registry
) -> None:
    """The laptop ran the head: then it is behind, with the time that it has left."""
    first, second = servers
    token = second.enrol("anna", "0" * 32, first.printed("enrolment-secret", "create"))
    told = runs(RUNS)
    check_in_at(second, token, 1, told)
    upload(second, token, told)
    wait_until(lambda: second.get("/v1/machines/me", token)["standing"] == "match")
    assert check_in_at(second, token, 2, told)["state"] == "match"
    registry.tag("latest", NEWER)
    wait_until(lambda: second.get("/v1/machines/me", token)["standing"] == "pending")
    assert check_in_at(second, token, 3, told)["state"] == "pending"
    heads = second.get("/v1/machines/me", token)["heads"]
    assert [each["version"] for each in heads] == [NEWER]
    assert decided(second) == {"follows"}


def test_two_versions_work_side_by_side(servers: tuple[Live, Live], tmp_path: Path) -> None:
    """The older ones go on when the newer one migrates; stopped, they do not come back."""
    first, second = servers
    url = first.environment["PARITY_SERVER_DATABASE_URL"]
    newer = Live(tmp_path / "newer", root=later(tmp_path / "code"), database_url=url)
    newer.folder.mkdir()
    token = first.enrol("anna", "0" * 32, first.printed("enrolment-secret", "create"))
    assert wanted(first, token, 1) == [DIGEST]
    assert "older schema" in newer.run("serve").stderr
    assert newer.run("migrate").returncode == 0
    assert wanted(second, token, 2) == [DIGEST]
    newer.start()
    upload(second, token)
    assert wanted(newer, token, 3) == []
    assert wanted(first, token, 4) == []
    newest = newer.enrol("ben", "1" * 32, newer.printed("enrolment-secret", "create"))
    assert wanted(second, newest, 1) == []
    assert asked(url, "SELECT seq FROM presence ORDER BY 1") == [(1,), (4,)]
    assert first.stop() == 0
    assert "written by a newer version" in first.run("serve").stderr
    assert wanted(newer, token, 5) == []
    assert second.stop() == 0
    wait_until(lambda: "leads" in events(newer))
    assert newer.stop() == 0


def later(folder: Path) -> Path:
    """The code of a version to come, whose schema has more."""
    for package in ("agent", "server"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("*.pyc"))
    newest = schema.newest()
    following = f"{int(newest) + 1:04}"
    steps = folder / schema.MIGRATIONS.relative_to(ROOT) / "versions"
    (steps / f"{following}_moods.py").write_text(NEXT.format(next=following, newest=newest))
    return folder


def runs(version: str) -> Profile:
    """A laptop that starts a release's Linux program from its terminal."""
    stated = json.loads(manifest(version))["platforms"]["linux-x64"]
    return profile(Build(stated["checksum"], stated["size"], "binary", version, "linux-x64"))


def wanted(live: Live, token: str, seq: int) -> list[str]:
    """Checks in; what is wanted then."""
    return list(check_in_at(live, token, seq).get("wanted", ()))


def check_in_at(live: Live, token: str, seq: int, told: Profile = PROFILE) -> dict[str, Any]:
    """Checks in; the answer."""
    answer = try_check_in(live, token, seq, told)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def try_check_in(live: Live, token: str, seq: int, told: Profile) -> requests.Response:
    """The answer, whatever it is."""
    return requests.post(
        f"{live.url}/v1/check-ins",
        json=check_in(seq=seq, profile=digest_of(told)),
        headers=signed(token),
        timeout=PATIENCE_S,
    )


def upload(live: Live, token: str, told: Profile = PROFILE) -> None:
    """Sends the profile that was wanted."""
    answer = requests.put(
        f"{live.url}/v1/profiles/{digest_of(told)}",
        data=canonical(told),
        headers=signed(token),
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 201, answer.text
