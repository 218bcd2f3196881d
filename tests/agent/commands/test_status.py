"""``status`` as a person types it: what, why, until when, and how old the word is."""

import json
import re

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
    assert "laptop-7 (group default): drift\n  since 20" in done.stdout
    assert "the server's last word, " in done.stdout
    assert f"server  {receiver.url}" in done.stdout
    assert "its daemon does not run" in done.stdout
    until = done.stdout.partition("UNTIL WHEN")[2]
    assert "build-behind, npm global 2.1.329: grace ends 20" in until
    assert "config-overridden, setting effortLevel: permitted until 20" in until
    assert all(re.search(r":\d\d [+-]\d\d:\d\d$", line) for line in until.splitlines()[1:3])
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


def test_no_sentence_is_cut(laptop: Laptop, receiver: Receiver) -> None:
    """Not in a pipe either: it goes on in the next line."""
    long = "many words of a sentence " * 12
    told = Told(laptop, receiver, [BEHIND | {"sentence": long}])
    told.run("check")
    said = told.run("status").stdout
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= 100
    assert said.count("many words") == said.count("sentence") == 12


def test_an_install_that_nothing_starts_is_told(laptop: Laptop, receiver: Receiver) -> None:
    """By every command, with what to do; where it lies by the one that looks."""
    receiver.standing = "absent"
    told = Told(laptop, receiver)
    receiver.standing = "absent"
    program = laptop.home / ".local" / "share" / "claude" / "versions" / "2.1.240"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF" + bytes(60))
    program.chmod(0o755)
    looked = told.run("check").stdout
    assert f"found at {program}" in looked
    assert "on the PATH of your login shell" in looked
    assert "npm install" not in looked
    for words in (("status",), ("explain",), ("explain", "absent"), ("fix",)):
        said = " ".join(told.run(*words).stdout.split())
        assert "Claude Code is found here (native versions), but nothing starts it" in said, words
