"""``status`` as a person types it: what, why, until when, and how old the word is."""

import json

from tests.agent.commands.words import BEHIND, OVERRIDDEN, Told
from tests.agent.receiver import Receiver
from tests.e2e.harness import Laptop
from tests.e2e.waiting import wait_until


def test_a_screenful_tells_what_why_and_until_when(laptop: Laptop, receiver: Receiver) -> None:
    """Each finding has one line, and nothing is asked for it."""
    permitted = OVERRIDDEN | {"severity": "exempt", "waived_until": 1_795_400_000}
    told = Told(laptop, receiver, [BEHIND | {"deadline": 1_795_200_000}, permitted])
    told.run("check")
    told.asked.clear()
    done = told.run("status")
    assert (done.returncode, done.stderr, told.asked) == (0, "", [])
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert len([line for line in lines if line.startswith("  build-behind  ")]) == 1
    assert "the npm install 2.1.329 is behind: latest is 2.1.330" in done.stdout
    assert "laptop-7 (group default): drift, since" in done.stdout
    assert "the server's last word, " in done.stdout
    assert f"server  {receiver.url}" in done.stdout
    assert "its daemon does not run" in done.stdout
    until = done.stdout.partition("UNTIL WHEN")[2]
    assert "build-behind: grace ends 20" in until
    assert "config-overridden: permitted until 20" in until
    assert "the last try failed" not in done.stdout


def test_a_running_daemon_is_told(laptop: Laptop, receiver: Receiver) -> None:
    """By its lock, which ends with it."""
    told = Told(laptop, receiver)
    told.run("check")
    assert json.loads(told.run("status", "--json").stdout)["seat"]["is_running"] is False
    laptop.start()
    wait_until(lambda: "agent started" in laptop.log.read_text(encoding="utf-8"))
    seat = json.loads(told.run("status", "--json").stdout)["seat"]
    assert (seat["is_running"], seat["label"], seat["owner"]) == (True, "laptop-7", None)
    laptop.stop()
    assert json.loads(told.run("status", "--json").stdout)["seat"]["is_running"] is False


def test_a_server_that_does_not_answer_any_more_is_told(laptop: Laptop, receiver: Receiver) -> None:
    """With what to do, and the last word all the same."""
    told = Told(laptop, receiver, [BEHIND])
    told.run("check")
    told.go_away()
    told.run("check")
    said = told.run("status").stdout
    assert "the last try failed: the server answered 502" in said
    assert "what to do: " in said
    assert BEHIND["sentence"] in said
