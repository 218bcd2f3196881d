"""Who a laptop is to its server, through the installed commands: tokens, copies, old folders."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Laptop, Server

MONTH_S = 31 * 86_400


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server without a source that it could reach."""
    with Server(tmp_path / "server", npm_registry_url="http://127.0.0.1:9") as server:
        yield server


def token(laptop: Laptop) -> str:
    """The token that a laptop keeps."""
    kept = json.loads((laptop.state / "identity.json").read_text(encoding="utf-8"))
    return str(kept["token"])


def status(server: Server, machine_token: str) -> int:
    """How a machine's token is answered."""
    return server.get("/v1/machines/me", token=machine_token).status_code


def test_a_token_takes_turns_by_itself_and_an_old_folder_gets_the_next(
    server: Server, tmp_path: Path
) -> None:
    """Nobody at the laptop does anything: not for the turn, and not after a restore."""
    laptop = Laptop(tmp_path / "laptop").enrol(server)
    laptop.run("check")
    first = token(laptop)
    shutil.copytree(laptop.state, tmp_path / "backup")
    server.move_clock(MONTH_S)
    laptop.run("check")
    second = token(laptop)
    assert second != first
    assert (status(server, first), status(server, second)) == (200, 200)
    laptop.run("check")
    assert (status(server, first), status(server, second)) == (401, 200)
    shutil.rmtree(laptop.state)
    shutil.copytree(tmp_path / "backup", laptop.state)
    server.move_clock(MONTH_S + 60)
    before = server.machine("scratch")["last_seen"]
    laptop.run("check")
    third = token(laptop)
    assert third not in {first, second}
    assert server.machine("scratch")["last_seen"] > before
    assert (status(server, second), status(server, third)) == (401, 200)


def test_two_laptops_of_one_disk_are_noticed_and_become_two_machines(
    server: Server, tmp_path: Path
) -> None:
    """One of them enrols anew, at the laptop alone; the other one does not notice."""
    laptop = Laptop(tmp_path / "laptop").enrol(server)
    laptop.run("check")
    twin = Laptop(tmp_path / "twin", label="twin")
    shutil.copytree(laptop.state, twin.state)
    twin.claude_settings(effortLevel="low")
    for _ in range(3):
        twin.run("check")
        laptop.run("check")
    shared = server.machine("scratch")
    assert "cloned-identity" in [each["code"] for each in shared["findings"]]
    named = ("--server", server.url, "--label", "twin", "--secret-file", server.secret_file)
    done = twin.run("enrol", "--again", *named)
    assert (done.returncode, done.stderr) == (0, "")
    for _ in range(3):
        twin.run("check")
        laptop.run("check")
    apart = {"findings": ()} | server.machine("scratch")
    assert apart["machine"] == shared["machine"]
    assert "cloned-identity" not in [each["code"] for each in apart["findings"]]
    assert server.machine("twin")["profile"] != apart["profile"]
