"""`policy`: checked, compared and shown by command, and followed by a running server."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server import policy_file
from server.policy import Policies
from tests.e2e.waiting import wait_until
from tests.server.expecting import laptop, seen
from tests.server.live import PATIENCE_S, ROOT, Live

TARGET = "[default]\ntarget_share = 0.5\n"
ONLY_SDK = '[default]\nsurfaces = ["sdk"]\n'
BROKEN = '[default]\nchanel = "stable"\n\ngrace = 24\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A policy file that the server is told of."""
    file = tmp_path / "policy.toml"
    file.write_text(TARGET)
    return file


@pytest.fixture
def live(tmp_path: Path, file: Path) -> Live:
    """A server with a policy file, not started yet."""
    return Live(tmp_path / "data", policy_file=str(file))


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """What is said of a file, without a database, settings or a server."""
    return subprocess.run(
        [sys.executable, "-m", "server", "policy", "check", str(file)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def in_json(live: Live, *words: str) -> Any:
    """What a command prints as JSON."""
    return json.loads(live.printed("policy", *words, "--json"))


def test_a_file_without_a_mistake_is_said_to_be_usable(file: Path) -> None:
    """Exit code 0."""
    done = checked(file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file}: usable; the default and 0 groups of their own\n"


def test_one_group_is_counted_as_one(file: Path) -> None:
    """Not as `1 groups`."""
    file.write_text('[groups.pilots]\nlane = "ahead"\n')
    assert checked(file).stdout == f"{file}: usable; the default and 1 group of its own\n"


def test_every_mistake_is_told_on_a_line_of_its_own(file: Path) -> None:
    """As compilers tell them, so that an editor jumps to each; exit code 1."""
    file.write_text(BROKEN)
    done = checked(file)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{file}:2: default.chanel: is not known here; did you mean channel?",
        (
            f"{file}:4: default.grace: must be a length of time with its unit, like"
            ' "90m", "24h" or "3d"'
        ),
    ]
    missing = checked(file.with_name("none"))
    assert missing.returncode == 1
    assert "No such file or directory" in missing.stderr


def test_the_doctor_tells_a_policy_that_would_be_refused(live: Live, file: Path) -> None:
    """With its first mistake and where all are told; a usable one is named."""
    live.printed("migrate")
    assert f"ok   policy: {file} is usable" in live.run("doctor").stdout
    file.write_text(BROKEN)
    done = live.run("doctor")
    assert done.returncode == 1
    assert f"fail policy: {file}:2: default.chanel: is not known here" in done.stdout
    assert f"see parity-server policy check {file}" in done.stdout
    file.unlink()
    assert f"fail policy: cannot read the policy file {file}" in live.run("doctor").stdout


def test_without_a_load_the_defaults_are_shown(live: Live) -> None:
    """As a file with every key, which can be saved and used."""
    live.printed("migrate")
    said = live.printed("policy", "show")
    assert said.startswith("# in force: the defaults\n[default]\n")
    assert policy_file.read(said.encode(), "shown") == Policies()
    assert in_json(live, "show")["load"] is None
    assert live.printed("policy", "log") == ""


def test_a_running_server_follows_its_file(live: Live, file: Path) -> None:
    """Foretold by `diff`, in force within seconds, and a broken file changes nothing."""
    live.start()
    try:
        secret, viewer = live.printed("enrolment-secret", "create"), live.printed("token", "create")
        machine = laptop(live.url, secret)
        group = live.get("/v1/status", viewer)["groups"]["default"]
        assert (group["target_share"], group["target_reached"]) == (0.5, False)
        other = file.with_name("other.toml")
        other.write_text(ONLY_SDK)
        change = {
            "group": "default",
            "before": "drift",
            "after": "absent",
            "machines": 1,
            "labels": [machine.label],
        }
        assert in_json(live, "diff", str(other)) == {"machines": 1, "changes": [change]}
        assert live.printed("policy", "diff", str(other)).splitlines() == [
            "1 machine would change state",
            f"{'group':<7}  {'from':<5}  {'to':<6}  machines  which",
            f"default  drift  absent  {1:<8}  {machine.label}",
        ]
        aside = file.with_name("aside.toml")
        aside.write_text('[groups.pilots]\ngrace = "1h"\n')
        nobody = (
            f"{aside}: group pilots: no machine is in it, and no enrolment secret puts one there"
        )
        assert live.run("policy", "diff", str(aside)).stderr.splitlines() == [nobody]
        pilots = live.printed("enrolment-secret", "create", "--group", "pilots")
        assert live.run("policy", "diff", str(aside)).stderr == ""
        live.enrol("left before", "0" * 32, pilots)
        (listed,) = (row for row in live.rows("enrolment-secret", "list") if "pilots" in row)
        assert live.run("enrolment-secret", "revoke", "--machines", listed[0]).returncode == 0
        assert live.run("policy", "diff", str(aside)).stderr.splitlines() == [nobody]
        other.replace(file)
        wait_until(lambda: seen(live.url, viewer, machine.machine).standing == "absent")
        assert in_json(live, "show", "--group", "default")["default"]["surfaces"] == ["sdk"]
        file.write_text(BROKEN)
        wait_until(lambda: in_json(live, "show")["refused"] is not None)
        refused = live.get("/v1/status", viewer)["policy_refused"]
        assert "default.chanel: is not known here" in refused["error"]
        assert seen(live.url, viewer, machine.machine).standing == "absent"
    finally:
        assert live.stop() == 0
    shown = live.run("policy", "show", "--group", "pilots")
    assert 'surfaces = ["sdk"]' in shown.stdout
    assert "[groups.pilots]" in shown.stdout
    assert "so the policy before it is in force" in shown.stderr
    errors = [each["error"] for each in in_json(live, "log")]
    assert errors[1:] == [None, None]
    assert f"{file}:2: default.chanel" in errors[0]


def test_a_server_without_a_good_file_does_not_start(live: Live, file: Path) -> None:
    """One line, which names the place; with a good one before, it starts by that."""
    file.write_text(BROKEN)
    done = live.run("serve", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"parity-server: {file}:2: default.chanel: is not known here;")
    assert line.endswith(f"(and 1 more); see parity-server policy check {file}")
    for text in (TARGET, BROKEN):
        file.write_text(text)
        live.start()
        assert live.stop() == 0
    assert in_json(live, "show")["default"]["target_share"] == 0.5


def test_a_mistyped_channel_is_doubted_and_usable(file: Path) -> None:
    """On standard error, with exit code 0: some source may show it."""
    file.write_text('[default]\nchannel = "lastest"\n')
    done = checked(file)
    assert done.returncode == 0
    assert 'did you mean "latest"?' in done.stderr
