"""The drill: a server loses its disk, and gets back what it had some time before."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Laptop, Server

HOUR = 3_600


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that reads no source: what is public does not matter here."""
    with Server(tmp_path / "server").start() as running:
        yield running


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
    said = server.command("doctor").stdout
    assert "equal to a recount of all machines" in said, said
    assert "are what the judge says now" in said, said
    return said


def test_agents_find_their_way_to_a_server_that_was_put_back(
    server: Server, tmp_path: Path
) -> None:
    """Nothing acknowledged after the backup is believed or doubled, and nobody types a thing."""
    stays, changes, returns, late = (
        Laptop(tmp_path / label, label=label) for label in ("stays", "changes", "returns", "late")
    )
    early = (stays, changes, returns)
    for laptop in early:
        laptop.enrol(server).run("check")
    copy = tmp_path / "copy.db"
    done = server.command("backup", copy)
    assert done.returncode == 0, done.stderr

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

    server.database.write_bytes(b"the disk is gone")
    done = server.command("restore", copy)
    assert done.returncode == 0, done.stderr
    assert "3 machines count as they stood then" in done.stderr
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
    with closing(sqlite3.connect(server.database)) as db:
        drew = db.execute("SELECT count(*) FROM machines WHERE past_epochs <> ''").fetchone()
    assert drew == (3,)
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
