"""``uninstall`` as a person or a rollout types it, against a real server."""

import json
import os
import pty
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.agent.commands.fleet import Fleet
from tests.e2e.harness import COMMAND_TIMEOUT_S, COMMANDS, Laptop
from tests.e2e.waiting import wait_until

Enrolled = Callable[[str], Laptop]


def token_of(laptop: Laptop) -> str:
    """Its machine's token."""
    return str(json.loads((laptop.state / "identity.json").read_bytes())["token"])


def at_a_terminal(laptop: Laptop, *words: str, typing: bytes) -> tuple[int, str]:
    """The exit code of a command that a person answers, and all that the person saw."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMANDS / "parity-agent", *words],
        env=laptop.environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.close(theirs)
    os.write(mine, typing)
    said, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
    os.close(mine)
    return process.returncode, said


def test_a_whole_life_leaves_nothing_behind(fleet: Fleet, enrolled: Enrolled) -> None:
    """Enrolled, checked, run as a daemon, paused, asked for everything: all of it is gone."""
    laptop = enrolled("whole life")
    for words in (("check",), ("pause", "1h"), ("resume",), ("status",), ("show",), ("check",)):
        laptop.run(*words)
    laptop.start()
    wait_until(lambda: "agent started" in laptop.log.read_text(encoding="utf-8"))
    assert laptop.stop() == 0
    token = token_of(laptop)
    done = laptop.run("uninstall", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "signed off at" in done.stdout
    assert "to remove the package too:" in done.stdout
    assert not laptop.state.exists()
    assert fleet.standings("whole life") == ["left"]
    assert not fleet.holds(token)
    assert [each.name for each in laptop.home.iterdir()] == [".claude"]


def test_uninstalling_twice_finds_nothing_the_second_time(enrolled: Enrolled) -> None:
    """And is no failure."""
    laptop = enrolled("twice gone")
    assert laptop.run("uninstall", "--yes").returncode == 0
    again = laptop.run("uninstall", "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert "it was not enrolled" in again.stdout


def test_without_a_terminal_it_has_to_be_meant(fleet: Fleet, enrolled: Enrolled) -> None:
    """Nobody can be asked, so nothing is done."""
    laptop = enrolled("meant")
    done = laptop.run("uninstall")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert fleet.standings("meant") == ["unknown"]


def test_a_person_is_asked_and_may_say_no(fleet: Fleet, enrolled: Enrolled) -> None:
    """What is going to happen is said before."""
    laptop = enrolled("hesitant")
    code, said = at_a_terminal(laptop, "uninstall", typing=b"n\n")
    assert code == 1
    assert f"hesitant will be signed off at {fleet.url}" in said
    assert fleet.standings("hesitant") == ["unknown"]
    code, said = at_a_terminal(laptop, "uninstall", typing=b"y\n")
    assert code == 0, said
    assert fleet.standings("hesitant") == ["left"]


def test_an_unheard_goodbye_has_to_be_meant_too(enrolled: Enrolled) -> None:
    """Or the server waits for a machine that is gone; its operator can end that."""
    laptop = enrolled("unheard")
    file = laptop.state / "identity.json"
    kept = json.loads(file.read_bytes())
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
        file.write_text(json.dumps(kept | {"server_url": gone}), encoding="utf-8")
        refused = laptop.run("uninstall", "--yes")
        assert refused.returncode == 1
        assert "nothing was removed" in refused.stderr
        assert "--even-unheard" in refused.stderr
        assert file.exists()
        asked, said = at_a_terminal(laptop, "uninstall", typing=b"y\nn\n")
        assert asked == 1, said
        assert "go on all the same?" in said
        assert file.exists()
        done = laptop.run("uninstall", "--yes", "--even-unheard")
    assert done.returncode == 0
    assert f"parity-server machines revoke {kept['machine']}" in done.stderr
    assert not laptop.state.exists()


def test_a_machine_that_was_revoked_is_as_good_as_gone(fleet: Fleet, enrolled: Enrolled) -> None:
    """Its server knows it no more, which is what a goodbye is for."""
    laptop = enrolled("sent away")
    fleet.live.printed("machines", "revoke", "sent away")
    done = laptop.run("uninstall", "--yes")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_kept_state_can_be_looked_at_and_enrolled_again(fleet: Fleet, enrolled: Enrolled) -> None:
    """The journal and the caches stay; the next enrolment is a new machine."""
    laptop = enrolled("kept")
    laptop.run("check")
    assert laptop.run("uninstall", "--yes", "--keep-state").returncode == 0
    assert (laptop.state / "journal.db").exists()
    assert not (laptop.state / "identity.json").exists()
    done = laptop.run(*fleet.enrolling, "--label", "kept")
    assert done.returncode == 0, done.stderr
    assert fleet.standings("kept") == ["left", "unknown"]


def test_a_damaged_identity_does_not_keep_the_agent_here(enrolled: Enrolled) -> None:
    """It is said, and the rest goes."""
    laptop = enrolled("damaged")
    (laptop.state / "identity.json").write_bytes(b"{")
    done = laptop.run("uninstall", "--yes")
    assert done.returncode == 0
    assert "damaged" in done.stderr
    assert not laptop.state.exists()


def test_what_a_person_wrote_stays(enrolled: Enrolled, tmp_path: Path) -> None:
    """Settings and a log that was asked for are named, and left."""
    laptop = enrolled("a writer")
    config, log = tmp_path / "agent.toml", tmp_path / "agent.log"
    config.write_text(f'log_file = "{log}"\n', encoding="utf-8")
    done = laptop.run("--config", config, "uninstall", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"kept {config}: it is yours" in done.stdout
    assert f"kept {log}: it is yours" in done.stdout
    assert config.exists()
    assert log.exists()
