"""``doctor`` as a person types it, on laptops that are well and on others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agent.commands.fleet import Fleet
from tests.agent.receiver import Receiver
from tests.e2e.harness import Laptop, tree
from tests.e2e.waiting import wait_until

Enrolled = Callable[[str], Laptop]


def checks(laptop: Laptop, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and each check by its name."""
    done = laptop.run(*words, "doctor", "--json")
    told = json.loads(done.stdout)
    assert told["well"] is (done.returncode == 0), done.stdout
    return done.returncode, {each["name"]: each for each in told["checks"]}


def test_a_healthy_laptop_is_told_what_was_seen(fleet: Fleet, enrolled: Enrolled) -> None:
    """Each check with what it saw; nobody is sent anything, and nothing is changed."""
    laptop = enrolled("healthy")
    laptop.run("check")
    before, last_seen = tree(laptop.folder), fleet.machines("healthy")[0]["last_seen"]
    code, found = checks(laptop)
    assert code == 0
    assert {name for name, each in found.items() if each["verdict"] == "warn"} == {
        "daemon",
        "service",
    }
    assert found["settings of Claude Code"]["seen"] == "1 found, all can be read"
    assert found["server"]["seen"] == f"{fleet.url} answers"
    assert "it stands as" in found["token"]["seen"]
    assert "agrees" in found["clock"]["seen"]
    assert found["versions"]["seen"].endswith("both speak wire 1")
    assert "healthy in the group default" in found["enrolment"]["seen"]
    assert "state_dir" in found["settings of the agent"]["seen"]
    assert tree(laptop.folder) == before
    assert fleet.machines("healthy")[0]["last_seen"] == last_seen


def test_people_get_a_line_for_each_check_and_what_to_do(enrolled: Enrolled) -> None:
    """A warning is no failure."""
    done = enrolled("readable").run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok    settings of the agent")
    assert any(line.startswith("warn  daemon") for line in lines)
    assert any(line.strip() == "what to do: run: parity-agent service install" for line in lines)


def test_a_daemon_that_runs_is_seen(enrolled: Enrolled) -> None:
    """By the lock that it holds."""
    laptop = enrolled("running").start()
    wait_until(lambda: "agent started" in laptop.log.read_text(encoding="utf-8"))
    assert checks(laptop)[1]["daemon"]["verdict"] == "ok"


def test_a_laptop_that_is_not_enrolled_fails(laptop: Laptop) -> None:
    """There is no server to ask, and nothing was made by asking."""
    code, found = checks(laptop)
    assert code == 1
    assert "enrol --server" in found["enrolment"]["advice"]
    assert "server" not in found
    assert not laptop.state.exists()


def test_a_server_is_examined_before_the_enrolment(fleet: Fleet, laptop: Laptop) -> None:
    """Where the settings name one."""
    laptop.settings["server_url"] = fleet.url
    found = checks(laptop)[1]
    assert found["server"]["verdict"] == "ok"
    assert "token" not in found


def test_what_is_to_be_done_first_comes_first(fleet: Fleet, laptop: Laptop) -> None:
    """Enrolment before what needs it, with the server's address where it is known."""
    laptop.settings["server_url"] = fleet.url
    told = laptop.run("doctor").stdout.splitlines()
    first, *_ = (line.strip() for line in told if line.strip().startswith("what to do:"))
    assert first == f"what to do: run: parity-agent enrol --server {fleet.url}"
    assert not laptop.state.exists()


def test_a_paused_laptop_is_left_alone(laptop: Laptop, receiver: Receiver) -> None:
    """The server hears nothing, Claude Code is not looked at, and both are said."""
    laptop.run("enrol", "--server", receiver.url, "--label", "l", "--secret-file", _secret(laptop))
    laptop.run("pause", "2h")
    receiver.bodies.clear()
    before = tree(laptop.folder)
    code, found = checks(laptop)
    assert (code, receiver.bodies) == (0, [])
    assert "the server was not asked" in found["pause"]["seen"]
    assert "silent" not in found["daemon"]["seen"]
    assert not {"server", "token", "home", "settings of Claude Code", "processes"} & set(found)
    assert tree(laptop.folder) == before
    (laptop.state / "pause.json").write_text("{", encoding="utf-8")
    code, found = checks(laptop)
    assert (code, found["pause"]["verdict"], receiver.bodies) == (1, "fail", [])


def test_a_state_folder_that_cannot_be_made_is_told(laptop: Laptop) -> None:
    """Nobody can keep a file there: it does not lack room."""
    laptop.settings["state_dir"] = "/proc/nope"
    assert checks(laptop)[1]["state folder"]["seen"] == "/proc/nope cannot be made"


def _secret(laptop: Laptop) -> Path:
    file = laptop.folder / "secret"
    file.write_text("a-secret", encoding="utf-8")
    file.chmod(0o600)
    return file


def test_a_token_that_does_not_hold_is_told(fleet: Fleet, enrolled: Enrolled) -> None:
    """With the command that helps."""
    laptop = enrolled("revoked too")
    fleet.live.printed("machines", "revoke", "revoked too")
    code, found = checks(laptop)
    assert code == 1
    assert "enrol --again" in found["token"]["advice"]


def test_a_server_that_cannot_be_reached_is_told(laptop: Laptop) -> None:
    """With the reason; what comes before it was examined all the same."""
    laptop.settings["server_url"] = "http://127.0.0.1:9"
    code, found = checks(laptop)
    assert code == 1
    assert "refused the connection" in found["server"]["seen"]
    assert found["home"]["verdict"] == "ok"


@pytest.mark.parametrize("damage", ["{", '{"label": 3}'])
def test_what_is_damaged_is_told_and_the_rest_goes_on(enrolled: Enrolled, damage: str) -> None:
    """The identity, and a file of Claude Code's that is no JSON."""
    laptop = enrolled(f"damaged {len(damage)}")
    (laptop.state / "identity.json").write_text(damage, encoding="utf-8")
    (laptop.home / ".claude" / "settings.json").write_text("{", encoding="utf-8")
    code, found = checks(laptop)
    assert code == 1
    assert "damaged" in found["enrolment"]["seen"]
    assert found["settings of Claude Code"]["verdict"] == "warn"


def test_no_secret_is_in_what_is_told(enrolled: Enrolled) -> None:
    """Neither the token nor a proxy's password."""
    laptop = enrolled("discreet")
    token = json.loads((laptop.state / "identity.json").read_bytes())["token"]
    laptop.settings["server_url"] = "https://parity.example.com"
    laptop.variables["HTTPS_PROXY"] = "http://someone:pa55word@127.0.0.1:9"
    enrolled_at = laptop.run("doctor").stdout
    (laptop.state / "identity.json").unlink()
    beyond = laptop.run("doctor").stdout
    assert "127.0.0.1:9, from HTTPS_PROXY" in beyond
    for secret in (token, "pa55word", "someone"):
        assert secret not in enrolled_at + beyond
