"""``migrate --to``: a team's file becomes a database for more, by one command."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.postgres import Postgres
from tests.server.live import PATIENCE_S, Live


@pytest.fixture
def target(postgres: Postgres) -> Iterator[str]:
    """The address of a PostgreSQL database without any table."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


def test_it_says_what_it_did(live: Live) -> None:
    """Also when there was nothing to do."""
    said = live.printed("migrate")
    assert re.fullmatch(r"the database is now at revision \d{4}", said)
    assert live.printed("migrate") == said.replace("is now", "was already")


def test_an_installation_moves_with_all_that_it_knows(live: Live, target: str) -> None:
    """Tokens and machines are known to the server on the other database."""
    live.start()
    secret = live.printed("enrolment-secret", "create")
    viewer = live.printed("token", "create", "tests")
    machine = live.enrol("anna", "0" * 32, secret)
    refused = live.run("migrate", "--to", target)
    assert refused.returncode == 1
    assert "another server already works on" in refused.stderr
    live.stop()
    told = live.printed("migrate", "--to", target).splitlines()
    assert "machines: 1 rows" in told
    assert told[-1].startswith("all of it is in ")
    live.environment["PARITY_SERVER_DATABASE_URL"] = target
    live.start()
    assert [each["label"] for each in live.get("/v1/machines", viewer)["machines"]] == ["anna"]
    asked = requests.get(
        f"{live.url}/v1/machines/me",
        headers={"Authorization": f"Bearer {machine}"},
        timeout=PATIENCE_S,
    )
    assert asked.status_code == 200
    assert live.stop() == 0
    again = live.run("migrate", "--to", target)
    assert again.returncode == 1


def test_a_password_on_the_command_line_is_refused(live: Live) -> None:
    """Nothing of the address is repeated."""
    done = live.run("migrate", "--to", "postgresql://parity:hunter2@host/parity")
    assert done.returncode == 1
    assert "PGPASSFILE" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_migrating_makes_the_tables_of_a_postgresql_database(live: Live, target: str) -> None:
    """A server refuses to start before; a second run finds its work done."""
    live.environment["PARITY_SERVER_DATABASE_URL"] = target
    refused = live.run("serve", "--port", "0")
    assert refused.returncode == 1
    assert "has an older schema; run `parity-server migrate` first" in refused.stderr
    assert "is now at revision" in live.printed("migrate")
    assert "was already at revision" in live.printed("migrate")
    live.start()
    assert live.stop() == 0
