"""``parity-server releases``: what it reads, and what it shows of that."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.server.live import Live

if TYPE_CHECKING:
    from tests.server.releases.conftest import Registry

CLI = "@anthropic-ai/claude-code"
DAY_S = 24 * 3_600


@pytest.fixture
def reader(tmp_path: Path, registry: "Registry") -> Live:
    """A database of its own, beside a registry whose last two releases are five days apart."""
    for version, days in (("2.1.240", 6), ("2.1.330", 1)):
        moment = datetime.fromtimestamp(time.time() - days * DAY_S, UTC)
        registry.documents[CLI]["time"][version] = moment.isoformat()
    for version in list(registry.documents[CLI]["versions"]):
        if version not in {"2.1.240", "2.1.330", "2.1.112"}:
            del registry.documents[CLI]["versions"][version]
    registry.add_sdk("0.3.330", "2.1.330")
    registry.add_sdk("0.3.240", "2.1.240")
    registry.publish(CLI)
    live = Live(tmp_path / "data", npm_registry_url=registry.url)
    live.printed("migrate")
    return live


def test_a_refresh_shows_a_month_with_platforms_trust_and_commit(reader: Live) -> None:
    """One line a release, the newest first; older ones are asked for."""
    newest, older = reader.rows("releases", "--refresh")
    version, published, channels, platforms, trust, commit = newest
    assert (version, channels, trust) == ("2.1.330", "npm latest", "registry")
    assert published.endswith("Z")
    assert len(platforms.split(", ")) == 8
    assert commit == "8c664bec5001"
    assert older[0] == "2.1.240"
    every = reader.rows("releases", "--all")
    assert [row[0] for row in every] == ["2.1.330", "2.1.240", "2.1.112"]


def test_one_source_that_answers_is_enough(reader: Live) -> None:
    """The other is a warning, and its advice tells how it is left out."""
    reader.environment["PARITY_SERVER_BUCKET_URL"] = "http://127.0.0.1:9"
    done = reader.run("doctor")
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "source bucket" in line]
    assert line.startswith("warn source bucket: ")
    assert line.endswith("; a site that cannot reach it sets an empty bucket_url")
    reader.environment["PARITY_SERVER_NPM_REGISTRY_URL"] = "http://127.0.0.1:9"
    done = reader.run("doctor")
    assert done.returncode == 1
    assert done.stdout.count("fail source") == 2


def test_as_many_days_are_read_as_are_asked_for(reader: Live, registry: "Registry") -> None:
    """And shown, with the heads."""
    told = json.loads(reader.printed("releases", "--refresh", "--days", "2", "--json"))
    assert [each["version"] for each in told["releases"]] == ["2.1.330"]
    assert not [path for path in registry.paths() if path.endswith("-0.3.240.tgz")]
