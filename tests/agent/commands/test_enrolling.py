"""``enrol`` as a person or a rollout types it, against a real server."""

import json
import os
import pty
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.agent.commands.fleet import Fleet
from tests.e2e.harness import COMMAND_TIMEOUT_S, COMMANDS, Laptop
from tests.server.live import PATIENCE_S

Enrolled = Callable[[str], Laptop]


def identity_of(laptop: Laptop) -> dict[str, str]:
    """What its state folder says it is."""
    kept: dict[str, str] = json.loads((laptop.state / "identity.json").read_bytes())
    return kept


def by_hand(laptop: Laptop, *words: str, answers: dict[str, str]) -> tuple[int, str]:
    """The exit code of a command that a person answers, and all that the person saw.

    Args:
        laptop: Where it is typed.
        words: What is typed.
        answers: What is typed when a question that begins so is seen, in this order.
    """
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [COMMANDS / "parity-agent", *words],
        env=laptop.environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Without a terminal of its own, a secret is asked for on standard input.
        start_new_session=True,
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        said = b""
        left = list(answers.items())
        while chunk := os.read(process.stdout.fileno(), 4_096):
            said += chunk
            if left and left[0][0] in said.decode() and said.endswith(b": "):
                os.write(mine, left.pop(0)[1].encode() + b"\n")
        process.wait(COMMAND_TIMEOUT_S)
    os.close(mine)
    return process.returncode, said.decode()


def test_a_rollout_needs_no_name(fleet: Fleet, laptop: Laptop) -> None:
    """Neither host nor user is in the name that is made, and typing it again changes nothing."""
    words = (*fleet.enrolling, "--group", "default", "--owner", "Robin Roe")
    done = laptop.run(*words)
    assert done.returncode == 0, done.stderr
    label = identity_of(laptop)["label"]
    assert re.fullmatch(r"Robin-Roe-[a-z0-9]+-[0-9a-f]{4}", label)
    assert socket.gethostname() not in label
    assert label in done.stdout
    assert f"{fleet.url}/laptop" in done.stdout
    assert requests.get(f"{fleet.url}/laptop", timeout=PATIENCE_S).status_code == 200
    again = laptop.run(*words)
    assert again.returncode == 0, again.stderr
    assert "enrolled already" in again.stdout
    assert [each["label"] for each in fleet.machines("Robin-Roe")] == [label]


def test_a_machine_of_nobody_has_a_name_too(fleet: Fleet, laptop: Laptop) -> None:
    """Without an owner there is nothing to make it of but chance."""
    assert laptop.run(*fleet.enrolling).returncode == 0
    assert re.fullmatch(r"laptop-[0-9a-f]{6}", identity_of(laptop)["label"])


def test_an_enrolled_machine_is_not_enrolled_anew_by_mistake(
    fleet: Fleet, enrolled: Enrolled
) -> None:
    """The same server and name are as asked for; anything else has to be meant."""
    laptop = enrolled("mistaken")
    before = identity_of(laptop)
    same = laptop.run(*fleet.enrolling, "--label", "mistaken")
    assert (same.returncode, same.stderr) == (0, "")
    other = laptop.run(*fleet.enrolling, "--label", "other")
    assert other.returncode == 1
    assert "enrolled already, as mistaken" in other.stderr
    assert "--again" in other.stderr
    elsewhere = laptop.run("enrol", "--server", "https://parity.example.com")
    assert "--again" in elsewhere.stderr
    assert identity_of(laptop) == before


def test_enrolling_again_leaves_no_ghost(fleet: Fleet, enrolled: Enrolled) -> None:
    """The earlier machine has left, its name is free for the next one, its word is forgotten."""
    laptop = enrolled("ghost")
    assert laptop.run("check").stdout
    token = identity_of(laptop)["token"]
    done = laptop.run(*fleet.enrolling, "--label", "ghost", "--again")
    assert (done.returncode, done.stderr) == (0, "")
    assert fleet.standings("ghost") == ["left", "unknown"]
    assert not fleet.holds(token)
    assert fleet.holds(identity_of(laptop)["token"])
    assert "has not spoken yet" in laptop.run("status").stderr


def test_a_server_that_is_gone_keeps_nobody_from_the_next(fleet: Fleet, enrolled: Enrolled) -> None:
    """What its operator would have to do is said."""
    laptop = enrolled("moved")
    file = laptop.state / "identity.json"
    kept = identity_of(laptop)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
        file.write_text(json.dumps(kept | {"server_url": gone}), encoding="utf-8")
        done = laptop.run(*fleet.enrolling, "--label", "moved on", "--again")
    assert done.returncode == 0, done.stderr
    assert "could not be told that moved leaves" in done.stderr
    assert f"machines revoke {kept['machine']}" in done.stderr
    assert identity_of(laptop)["label"] == "moved on"


def test_what_cannot_be_sent_ends_no_enrolment(fleet: Fleet, enrolled: Enrolled) -> None:
    """The earlier one holds until there is something to put in its place."""
    laptop = enrolled("holding")
    done = laptop.run(*fleet.enrolling, "--label", "tab\there", "--again")
    assert done.returncode == 1
    assert fleet.standings("holding") == ["unknown"]


@pytest.mark.parametrize("label", ["keeping", "another"])
def test_a_wrong_secret_ends_no_enrolment(
    fleet: Fleet, enrolled: Enrolled, tmp_path: Path, label: str
) -> None:
    """Whether the machine is to keep its label or to take another one."""
    laptop = enrolled(f"keeping-{label}")
    before = identity_of(laptop)
    wrong = tmp_path / "wrong"
    wrong.write_text("bpe_00000000_not-a-secret", encoding="utf-8")
    words = [*fleet.enrolling, "--label", f"keeping-{label}" if label == "keeping" else label]
    words[words.index("--secret-file") + 1] = str(wrong)
    done = laptop.run(*words, "--again")
    assert done.returncode == 1
    assert identity_of(laptop) == before
    assert fleet.holds(before["token"])


def test_a_home_that_cannot_be_written_is_told_which_variable_helps(
    fleet: Fleet, laptop: Laptop
) -> None:
    """Before anything was sent, so that no machine is made that cannot remember its name."""
    laptop.settings["state_dir"] = str(laptop.home / ".claude" / "settings.json" / "state")
    done = laptop.run(*fleet.enrolling, "--label", "read-only")
    assert done.returncode == 1
    assert "PARITY_AGENT_STATE_DIR" in done.stderr
    assert fleet.machines("read-only") == []


def test_a_name_in_use_is_told_with_what_to_type(
    fleet: Fleet, enrolled: Enrolled, laptop: Laptop
) -> None:
    """The option that helps is named."""
    enrolled("taken")
    (laptop.state / "identity.json").unlink()
    done = laptop.run(*fleet.enrolling, "--label", "taken")
    assert done.returncode == 1
    assert "--label" in done.stderr


def test_a_machine_that_was_revoked_is_told_how_to_come_back(
    fleet: Fleet, enrolled: Enrolled
) -> None:
    """And what it is told to type works."""
    laptop = enrolled("revoked")
    fleet.live.printed("machines", "revoke", "revoked")
    assert "parity-agent enrol --again" in laptop.run("check").stderr
    done = laptop.run(*fleet.enrolling, "--label", "revoked", "--again")
    assert (done.returncode, done.stderr) == (0, "")
    assert fleet.standings("revoked") == ["left", "unknown"]


def test_a_rollout_brings_a_revoked_machine_back(fleet: Fleet, enrolled: Enrolled) -> None:
    """Once the server has said that it does not know it; and then only once."""
    laptop = enrolled("forgotten")
    words = (*fleet.enrolling, "--owner", "kim")
    fleet.live.printed("machines", "revoke", "forgotten")
    assert laptop.run("check").returncode == 1
    done = laptop.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "does not know forgotten any more: enrolling anew" in done.stdout
    assert fleet.standings("forgotten") == ["left", "unknown"]
    assert fleet.holds(identity_of(laptop)["token"])
    assert "enrolled already" in laptop.run(*words).stdout
    assert laptop.run("check").returncode != 1


def test_a_wish_that_is_not_granted_is_told(fleet: Fleet, laptop: Laptop) -> None:
    """Another group than the secret's, and what an enrolled machine does not get by asking."""
    done = laptop.run(*fleet.enrolling, "--label", "elsewhere", "--group", "nosuch")
    assert done.returncode == 0, done.stderr
    assert "the group nosuch was asked for; the secret gives default" in done.stdout
    assert "add --owner" in done.stdout
    for wish in (("--group", "nosuch"), ("--owner", "kim")):
        assert "owner and group stay as they are" in laptop.run(*fleet.enrolling, *wish).stdout
    same = laptop.run(*fleet.enrolling, "--group", "default")
    assert "stay as they are" not in same.stdout


def test_a_person_is_asked_for_the_secret_first(fleet: Fleet, laptop: Laptop) -> None:
    """Then for a name, with one to take, and for an owner, who need not be."""
    secret = fleet.secret_file.read_text().strip()
    asked = {"Enrolment secret": secret, "A name for this machine": "", "Who to ask": ""}
    code, said = by_hand(laptop, "enrol", "--server", fleet.url, answers=asked)
    assert code == 0, said
    places = [said.index(each) for each in asked]
    assert places == sorted(places)
    kept = identity_of(laptop)
    assert f"[{kept['label']}]" in said
    assert re.fullmatch(r"laptop-[0-9a-f]{6}", kept["label"])
    assert kept["owner"] is None
    assert secret not in said


def test_a_secret_is_taken_for_no_name(fleet: Fleet, laptop: Laptop) -> None:
    """Neither typed at the wrong prompt nor in a script."""
    code, said = by_hand(laptop, *fleet.enrolling, answers={"A name for this machine": "bpe_0a"})
    assert (code, "the label begins as a secret does" in said) == (1, True)
    done = laptop.run(*fleet.enrolling, "--owner", "bpv_0a")
    assert done.returncode == 1
    assert "the owner begins as a secret does: nothing was sent" in done.stderr
    assert not (laptop.state / "identity.json").exists()


def test_an_address_is_sent_as_typed_and_that_is_told(fleet: Fleet, laptop: Laptop) -> None:
    """A person typed it; nothing else sends one."""
    done = laptop.run(*fleet.enrolling, "--label", "addressed", "--owner", "kim@example.com")
    assert "the owner was sent as typed, e-mail address and all: kim@example.com" in done.stdout
    assert "add --owner" not in done.stdout
