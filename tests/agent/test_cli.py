"""The command as a person types it, against a real HTTP receiver."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest
from werkzeug import Response

from agent import __version__
from agent.commands.verdict import EXIT_CODES
from agent.settings import Settings
from tests.agent.receiver import Receiver

SECRET = "a-secret-of-the-operator"  # noqa: S105 - this test's own


class Agent(Protocol):
    """Runs ``parity-agent`` with arguments and further variables."""

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The finished command."""
        ...


@pytest.fixture
def agent(laptop: Settings) -> Agent:
    """The command over the scratch laptop."""

    def typed(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PARITY_AGENT_STATE_DIR": str(laptop.state_dir),
            "PARITY_AGENT_HOME": str(laptop.home),
            "PARITY_AGENT_SYSTEM_ROOT": str(laptop.system_root),
            "HOME": str(laptop.home),
            "PATH": "",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **variables,
        }
        return subprocess.run(
            [sys.executable, "-m", "agent", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return typed


@pytest.fixture
def enrolled(agent: Agent, receiver: Receiver) -> Agent:
    """The command on a machine that is enrolled."""
    done = agent(
        "enrol",
        "--server",
        receiver.url,
        "--label",
        "laptop-7",
        PARITY_AGENT_ENROL_SECRET=SECRET,
    )
    assert done.returncode == 0, done.stderr
    return agent


def in_two_lines(done: subprocess.CompletedProcess[str], *, looked: bool = False) -> str:
    """The error of a command that failed as it should; one that looked tells what it found."""
    assert done.returncode == 1
    assert ("INSTALLS" in done.stdout) if looked else (done.stdout == "")
    what, advice = done.stderr.splitlines()
    assert what.startswith("parity-agent: ")
    assert advice.startswith("what to do: ")
    return done.stderr


def test_the_version_is_told(agent: Agent) -> None:
    """It is the distribution's."""
    assert __version__ in agent("--version").stdout


def test_enrolling_sends_what_was_typed_and_keeps_no_secret(
    agent: Agent, receiver: Receiver, laptop: Settings, tmp_path: Path
) -> None:
    """The secret may come from a file; it ends up in none of ours."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    done = agent(
        *("enrol", "--server", receiver.url, "--label", "laptop-7", "--owner", "Kim"),
        *("--secret-file", str(tmp_path / "secret")),
    )
    assert done.returncode == 0
    (sent,) = receiver.sent("/v1/enrolments")
    assert (sent["label"], sent["owner"], sent["secret"]) == ("laptop-7", "Kim", SECRET)
    for file in laptop.state_dir.iterdir():
        assert SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(("mode", "is_noted"), [(0o600, False), (0o644, True), (0o640, True)])
def test_a_secret_that_other_users_can_read_is_noted(
    agent: Agent, receiver: Receiver, tmp_path: Path, mode: int, *, is_noted: bool
) -> None:
    """In one line; it is used all the same."""
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(mode)
    done = agent("enrol", "--server", receiver.url, "--label", "x", "--secret-file", str(file))
    assert done.returncode == 0
    said = f"note: other users can read {file}: chmod 600 it\n" if is_noted else ""
    assert done.stderr == said


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("explain",),
        ("fix",),
        ("check",),
        ("show", "--last"),
        ("doctor",),
        ("pause", "1h"),
        ("resume",),
        ("service", "status"),
        ("completion", "bash"),
        ("settings",),
        ("uninstall", "--yes"),
    ],
)
def test_a_question_makes_no_file(agent: Agent, laptop: Settings, words: tuple[str, ...]) -> None:
    """A machine that has left, or was never enrolled, stays as it is."""
    before = sorted(laptop.home.rglob("*"))
    agent(*words)
    assert not laptop.state_dir.exists()
    assert sorted(laptop.home.rglob("*")) == before


def test_a_lost_answer_to_an_enrolment_is_repeated_with_the_same_key(
    agent: Agent, receiver: Receiver
) -> None:
    """The server can tell that it is the same machine."""
    arguments = ("enrol", "--server", receiver.url, "--label", "laptop-7")
    receiver.answer_first = lambda _request: Response("", 502)
    in_two_lines(agent(*arguments, PARITY_AGENT_ENROL_SECRET=SECRET))
    receiver.answer_first = lambda _request: None
    assert agent(*arguments, PARITY_AGENT_ENROL_SECRET=SECRET).returncode == 0
    first, second = receiver.sent("/v1/enrolments")
    assert first["key"] == second["key"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("enrol", "--server", "http://parity.example.com", "--label", "x"), "use https"),
        (("enrol", "--label", "x"), "no server was named"),
        (("enrol", "--server", "http://127.0.0.1:9", "--label", "x"), "no enrolment secret"),
        (("check",), "not enrolled"),
        (("status",), "not enrolled"),
        (("run",), "not enrolled"),
        (("pause", "2h"), "not enrolled"),
        (("resume",), "not enrolled"),
        (("--config", "/nowhere/agent.toml", "check"), "no settings file"),
    ],
)
def test_what_cannot_be_done_is_said_in_two_lines(
    agent: Agent, arguments: tuple[str, ...], said: str
) -> None:
    """What happened, and what to do; never a traceback."""
    assert said in in_two_lines(agent(*arguments))


@pytest.mark.parametrize("words", [(), ("service",)])
def test_the_lists_of_commands_are_whole(agent: Agent, words: tuple[str, ...]) -> None:
    """On a terminal of 80 columns no sentence is cut."""
    _, _, listed = agent(*words, "--help", COLUMNS="80").stdout.partition("Commands:")
    assert listed
    assert "..." not in listed


def test_a_wrong_setting_is_told_with_the_nearest(agent: Agent) -> None:
    """And the list of them all is there where one of them is wrong."""
    wrong = {"PARITY_AGENT_STATEDIR": "/x"}
    said = in_two_lines(agent("status", **wrong))
    what = "did you mean PARITY_AGENT_STATE_DIR? parity-agent settings lists them"
    assert said.endswith(f"what to do: {what}\n")
    assert "PARITY_AGENT_STATE_DIR" in agent("settings", **wrong).stdout


def test_wrong_usage_has_a_code_of_its_own(agent: Agent) -> None:
    """It is not mistaken for a verdict."""
    assert agent("check", "--wait", "soon").returncode == 2
    assert agent("chek").returncode == 2


@pytest.mark.parametrize(("standing", "code"), [*EXIT_CODES.items(), ("left", 1)])
def test_check_exits_with_the_verdict(
    enrolled: Agent, receiver: Receiver, standing: str, code: int
) -> None:
    """Scripts need not read the table."""
    receiver.standing = standing
    done = enrolled("check")
    assert done.returncode == code, done.stderr
    assert f"laptop-7 (group default): {standing}" in done.stdout
    assert done.stderr == ""


def test_check_tells_the_machine_and_the_laptop_as_json(
    enrolled: Agent, receiver: Receiver
) -> None:
    """The typing shell's variables are in the output and in nothing that was sent."""
    done = enrolled("check", "--json", ANTHROPIC_MODEL="canary-model")
    told = json.loads(done.stdout)
    assert told["machine"]["standing"] == "match"
    assert [each["key"] for each in told["local"]["shell_not_sent"]] == ["ANTHROPIC_MODEL"]
    assert told["machine"]["config"]["overrides"][0]["key"] == "effortLevel"
    sent = b"".join(body for _, _, body in receiver.bodies)
    assert b"ANTHROPIC_MODEL" not in sent
    assert b"canary" not in sent


def test_check_waits_while_the_server_is_looking_something_up(
    enrolled: Agent, receiver: Receiver
) -> None:
    """It asks again until the verdict is settled."""
    receiver.settling = 2
    done = enrolled("check", "--wait", "30", "--json")
    assert "settling" not in json.loads(done.stdout)["machine"]
    assert len([path for _, path, _ in receiver.bodies if path == "/v1/machines/me"]) == 3


def test_check_without_a_server_says_so(enrolled: Agent, receiver: Receiver) -> None:
    """What was seen is kept for the next time."""
    receiver.answer_first = lambda _request: Response("", 500)
    assert "500" in in_two_lines(enrolled("check"), looked=True)
    receiver.answer_first = lambda _request: None
    assert enrolled("check").returncode == 0
    bodies = [body for _, path, body in receiver.bodies if path == "/v1/check-ins"]
    assert bodies[0] == bodies[1]


def test_a_token_that_is_not_known_any_more_asks_for_enrolment(
    enrolled: Agent, receiver: Receiver
) -> None:
    """The person learns which command helps."""
    refusal = json.dumps({"error": "unknown token", "advice": "enrol"})
    receiver.answer_first = lambda _request: Response(refusal, 401)
    assert "parity-agent enrol" in in_two_lines(enrolled("check"), looked=True)


def test_show_prints_the_bytes_that_check_then_sends(enrolled: Agent, receiver: Receiver) -> None:
    """The profile is the same to the byte, and the check-in but for its clock."""
    receiver.bodies.clear()
    shown = enrolled("show")
    assert receiver.bodies == []
    profile, check_in = shown.stdout.splitlines()
    enrolled("check")
    assert [profile.encode()] == list(receiver.profiles.values())
    (sent,) = receiver.sent("/v1/check-ins")
    assert {**json.loads(check_in), "clock": 0} == {**sent, "clock": 0}
    last = json.loads(enrolled("show", "--last", "--json").stdout)
    assert last["check-in"] == sent
    assert SECRET not in json.dumps(last["enrolment"])


def test_a_masked_enrolment_is_told_with_the_length_that_was_sent(
    enrolled: Agent, receiver: Receiver
) -> None:
    """And with no digest, for that would be of other bytes."""
    (sent,) = (body for _, path, body in receiver.bodies if path == "/v1/enrolments")
    said = enrolled("show", "--last").stderr.splitlines()[0]
    assert said == f"enrolment, {len(sent)} bytes were sent; the secret is masked here:"
    assert "sha256" in enrolled("show").stderr


def test_what_was_told_remotely_is_sent_in_classes_and_nothing_of_the_account(
    enrolled: Agent, receiver: Receiver, laptop: Settings
) -> None:
    """The plan only where it is shared; of the rest nothing is printed, kept or sent."""
    canary = "canary-4711"
    account = {"emailAddress": canary, "billingType": canary, "seatTier": "team_standard"}
    state = {"userID": canary, "firstStartVersion": "2.1.240", "oauthAccount": account}
    (laptop.home / ".claude.json").write_text(json.dumps(state | {"projects": {canary: {}}}))
    for share, plan in (("false", "not told"), ("true", "team-standard")):
        seen = enrolled("check", PARITY_AGENT_SHARE_PLAN=share).stdout
        told = seen.partition("TOLD REMOTELY")[2].partition("\n\n")[0]
        assert told.split("plan")[1].strip() == plan
        assert "2.1.200-299" in told
        shown = enrolled("show", "--json", PARITY_AGENT_SHARE_PLAN=share).stdout
        assert ('"plan":"team-standard"' in shown.replace(" ", "")) == (share == "true")
        kept = [file.read_bytes() for file in laptop.state_dir.rglob("*") if file.is_file()]
        everything = [
            seen.encode(),
            shown.encode(),
            *kept,
            *(body for _, _, body in receiver.bodies),
        ]
        assert not any(canary.encode() in each for each in everything)


def test_show_before_enrolment_shows_the_enrolment_too(agent: Agent) -> None:
    """A person can see everything before anything is sent."""
    assert "enrolment, the secret is masked here:" in agent("show").stderr.splitlines()
    told = json.loads(agent("show", "--json").stdout)
    assert list(told) == ["enrolment", "profile", "check-in"]
    assert json.loads(agent("show", "--last", "--json").stdout) == {}


def test_status_tells_the_last_word_without_asking(enrolled: Agent, receiver: Receiver) -> None:
    """It works without a server, and says what went wrong since."""
    assert "has not spoken yet" in in_two_lines(enrolled("status"))
    enrolled("check")
    receiver.bodies.clear()
    assert "laptop-7 (group default): match" in enrolled("status").stdout
    assert json.loads(enrolled("status", "--json").stdout)["machine"]["standing"] == "match"
    assert receiver.bodies == []
    receiver.answer_first = lambda _request: Response("", 500)
    enrolled("check")
    assert "the last try failed" in enrolled("status").stdout


def test_the_token_is_shown_nowhere(enrolled: Agent) -> None:
    """No command prints what only the server may see."""
    for arguments in (("check",), ("check", "--json"), ("show",), ("show", "--last"), ("status",)):
        done = enrolled(*arguments)
        assert "tok-5ecret" not in done.stdout + done.stderr


def test_a_pause_is_told_to_the_server_at_once(enrolled: Agent, receiver: Receiver) -> None:
    """The person learns that the server knows, and how to end it."""
    enrolled("check")
    receiver.bodies.clear()
    done = enrolled("pause", "2h")
    assert done.returncode == 0, done.stderr
    assert "nothing is looked at, nothing is sent" in done.stdout
    assert "the server knows" in done.stdout
    assert "parity-agent resume" in done.stdout
    assert [path for _, path, _ in receiver.bodies] == ["/v1/check-ins"]
    assert receiver.sent("/v1/check-ins")[0]["paused_s"] == 7_200


def test_a_paused_machine_is_not_checked(enrolled: Agent, receiver: Receiver) -> None:
    """Whoever asked to be left alone is, until they say otherwise."""
    enrolled("check")
    enrolled("pause", "30m")
    receiver.bodies.clear()
    done = enrolled("check")
    assert (done.returncode, done.stdout) == (EXIT_CODES["paused"], "")
    what, advice = done.stderr.splitlines()
    assert "is paused until 20" in what
    assert "parity-agent resume" in advice
    told = json.loads(enrolled("check", "--json").stdout)
    assert (told["machine"], told["paused"]["is_told"]) == (None, True)
    assert receiver.bodies == []
    assert "the pause has ended" in enrolled("resume").stdout
    assert json.loads(enrolled("check", "--json").stdout)["paused"] is None
    assert "paused_s" not in receiver.sent("/v1/check-ins")[-1]


def test_the_end_of_a_pause_promises_nothing_that_is_not_so(enrolled: Agent) -> None:
    """Where no agent runs, nobody looks unless it is asked for."""
    enrolled("pause", "2h")
    done = enrolled("resume")
    assert done.stdout.splitlines() == [
        "the pause has ended",
        "no agent is running; to look and check in, run: parity-agent check",
    ]
    assert enrolled("resume").stdout == "this machine was not paused\n"


def test_a_pause_without_a_server_holds_and_says_so(enrolled: Agent, receiver: Receiver) -> None:
    """Nothing is promised that is not so."""
    enrolled("check")
    receiver.answer_first = lambda _request: Response("", 500)
    done = enrolled("pause", "1d")
    assert done.returncode == 0
    assert "the server does not know yet" in done.stdout
    assert "it could not be told: the server answered 500" in done.stdout
    assert enrolled("check").returncode == EXIT_CODES["paused"]


def test_a_machine_that_was_never_looked_at_can_be_paused(
    enrolled: Agent, receiver: Receiver
) -> None:
    """It is not looked at in order to say that it must not be."""
    receiver.bodies.clear()
    done = enrolled("pause", "1h")
    assert "never looked at" in " ".join(done.stdout.split())
    assert receiver.bodies == []


def test_show_and_status_tell_that_the_machine_is_paused(
    enrolled: Agent, receiver: Receiver
) -> None:
    """With the very bytes, while the server still has to be told."""
    enrolled("check")
    receiver.answer_first = lambda _request: Response("", 500)
    enrolled("pause", "2h")
    (shown,) = enrolled("show").stdout.splitlines()
    assert json.loads(shown) == receiver.sent("/v1/check-ins")[-1]
    receiver.answer_first = lambda _request: None
    enrolled("pause", "2h")
    shown_now = enrolled("show")
    assert shown_now.stdout == ""
    assert "nothing would be sent now" in shown_now.stderr
    assert "paused until" in enrolled("status").stdout
    assert json.loads(enrolled("status", "--json").stdout)["paused"]["is_told"] is True


@pytest.mark.parametrize("length", ["2", "h", "0m", "8d", "169h", "-1h", "1h30m", "1.5h", ""])
def test_a_pause_needs_a_length_that_it_can_have(enrolled: Agent, length: str) -> None:
    """Anything else is wrong usage, and pauses nothing; a dash makes no option of it."""
    done = enrolled("pause", length)
    assert done.returncode == 2
    assert "length of time" in done.stderr or "is not from 1m to 7d" in done.stderr
    assert "was not paused" in enrolled("resume").stdout
