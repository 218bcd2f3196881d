"""First light, line by line: one laptop, one server, a true verdict on real builds.

Everything runs through the installed commands, on packages from the npm registry.
"""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.wire import Build
from tests.acceptance.conftest import NewLaptop
from tests.conftest import PACKAGE_IN_PREFIX
from tests.e2e.fleet import Machine, enrol_all, leftover, profile_of
from tests.e2e.harness import COMMANDS, Laptop, Server, tree
from tests.e2e.registry import Registry
from tests.e2e.slack import Slack
from tests.e2e.waiting import wait_until
from tests.e2e.wiretap import Wiretap

pytestmark = pytest.mark.real

OLD = "2.1.240"
PREVIOUS = "2.1.329"
LAST_JS = "2.1.112"
NEVER = "2.1.320"
"""On no source's list (facts 2.8)."""

HOUR_S = 3600
CANARY = "canary-sk-ant-0123456789abcdefghijklmnop"


def program_of(laptop: Laptop) -> Path:
    """The program file of a laptop's npm install."""
    return laptop.home / ".npm-global" / PACKAGE_IN_PREFIX / "bin" / "claude.exe"


def change_bytes(program: Path, old: bytes, new: bytes) -> None:
    """Replaces some bytes in a private copy of a program, everywhere."""
    data = program.read_bytes()
    assert len(old) == len(new)
    assert old in data
    # Its names shared an inode with the test cache: the copy is this laptop's own.
    program.unlink()
    program.write_bytes(data.replace(old, new))
    program.chmod(0o755)


def verdict(laptop: Laptop) -> tuple[int, dict[str, Any]]:
    """The exit code of one check, and the server's word."""
    done = laptop.check("--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)["machine"]


def codes(view: dict[str, Any]) -> list[str]:
    """The rule codes of a machine's findings."""
    return [finding["code"] for finding in view.get("findings", ())]


# install/try


def test_the_head_from_npm_matches_and_an_old_release_is_behind(clone: Path, head: str) -> None:
    """``install/try`` says match for the head, and for 2.1.240 what, since when, and the mend."""

    def tried(version: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["install/try", "--once", "--with-claude", version],
            cwd=clone,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    matching, behind = tried(head), tried(OLD)

    assert matching.returncode == 0, matching.stdout + matching.stderr
    assert re.search(r"\bmatch\b", matching.stdout)
    assert behind.returncode == 10, behind.stdout + behind.stderr
    assert f"is behind: latest is {head}" in behind.stdout
    assert re.search(r"since .*20\d\d", behind.stdout)
    assert f"npm install -g @anthropic-ai/claude-code@{head}" in behind.stdout


# bytes


def test_one_changed_byte_is_build_altered(
    server: Server, new_laptop: NewLaptop, head: str
) -> None:
    """A copy of the head with one byte changed outside its version string is drift."""
    laptop = new_laptop(head).enrol(server)
    program = program_of(laptop)
    middle = program.stat().st_size // 2
    data = bytearray(program.read_bytes())
    data[middle] ^= 1
    program.unlink()
    program.write_bytes(data)
    program.chmod(0o755)

    code, view = verdict(laptop)

    assert (code, view["standing"], codes(view)) == (10, "drift", ["build-altered"])


def test_a_number_that_npm_never_had_is_build_unpublished(
    server: Server, new_laptop: NewLaptop, head: str
) -> None:
    """The head's version string changed to a number that was never public is drift."""
    laptop = new_laptop(head).enrol(server)
    change_bytes(program_of(laptop), f'VERSION:"{head}"'.encode(), f'VERSION:"{NEVER}"'.encode())

    code, view = verdict(laptop)

    assert (code, view["standing"], codes(view)) == (10, "drift", ["build-unpublished"])


def test_an_install_without_its_script_is_install_stub(
    server: Server, new_laptop: NewLaptop, head: str
) -> None:
    """``npm install --ignore-scripts`` leaves a stub, told as such, with the mend."""
    laptop = new_laptop(head, scripts=False).enrol(server)

    done = laptop.check()

    assert done.returncode == 10, done.stdout + done.stderr
    assert "install-stub" in done.stdout
    assert f"--allow-scripts=@anthropic-ai/claude-code @anthropic-ai/claude-code@{head}" in (
        done.stdout
    )


def test_the_last_js_release_is_public_and_behind(server: Server, new_laptop: NewLaptop) -> None:
    """2.1.112 from npm is recognised as the public ``js`` build, and is behind."""
    laptop = new_laptop(LAST_JS).enrol(server)

    code, view = verdict(laptop)

    counted = next(each for each in view["installs"] if each["counted"])
    assert counted["public"] == LAST_JS
    assert counted["install"]["build"]["form"] == "js"
    assert (code, codes(view)) == (10, ["build-behind"])


# nothing executed, nothing changed


def test_nothing_is_executed_and_nothing_in_the_home_changes(
    server: Server, new_laptop: NewLaptop, head: str, strace: str, tmp_path: Path
) -> None:
    """By strace: one program, and no write in the home; the tree is the same, times included."""
    laptop = new_laptop(head).enrol(server)
    laptop.claude_settings(effortLevel="high")
    before = tree(laptop.home)
    trace = tmp_path / "trace"

    done = laptop.run(
        "check", "--wait", "90", prefix=(strace, "-f", "-o", trace, "-e", "trace=%process,%file")
    )

    assert done.returncode == 10, done.stdout + done.stderr
    calls = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    executed = {
        found[1] for line in calls if (found := re.search(r'execve\("([^"]+)".* = 0', line))
    }
    assert len(executed) == 1, executed
    assert executed == {str(COMMANDS / "parity-agent")}
    in_home = [line for line in calls if f'"{laptop.home}' in line]
    assert any(str(program_of(laptop)) in line for line in in_home)
    assert not [line for line in in_home if CHANGING.search(line)]
    assert tree(laptop.home) == before


CHANGING = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC"
    r"|\b(unlink|rename|link|symlink|mkdir|rmdir|chmod|chown|utime|mknod|truncate|setxattr)"
)


# overrides


def test_overrides_are_told_and_a_secret_in_one_never_leaves(
    server: Server, new_laptop: NewLaptop, head: str
) -> None:
    """Three overrides are explained and change the hash; the token is found nowhere."""
    laptop = new_laptop(head)
    with Wiretap(server.port) as wire:
        named = ("--server", wire.url, "--label", "scratch", "--secret-file", server.secret_file)
        assert laptop.run("enrol", *named).returncode == 0
        assert verdict(laptop)[1]["standing"] == "match"
        laptop.claude_settings(
            effortLevel="low",
            env={
                "ANTHROPIC_BASE_URL": f"https://user:{CANARY}@gateway.example/{CANARY}",
                "DISABLE_TELEMETRY": "1",
            },
        )
        printed = laptop.check()
        spoken = json.loads(laptop.check("--json").stdout)
        sent = bytes(wire.sent)

    keys = {finding["subject"] for finding in spoken["machine"]["findings"]}
    assert keys == {
        "setting effortLevel",
        "variable ANTHROPIC_BASE_URL",
        "variable DISABLE_TELEMETRY",
    }
    for key in ("effortLevel", "ANTHROPIC_BASE_URL", "DISABLE_TELEMETRY"):
        assert key in printed.stdout
    assert spoken["machine"]["config"]["hash"] != spoken["local"]["public_default"]
    assert b"ANTHROPIC_BASE_URL" in sent
    assert b"gateway.example" not in sent
    assert CANARY not in printed.stdout + printed.stderr
    places = [("the wire", sent), ("the server's log", server.log.read_bytes())]
    for folder in (laptop.state, server.database.parent):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        places += [(str(path), path.read_bytes()) for path in files]
    assert [name for name, data in places if CANARY.encode() in data] == []


# Slack


def test_a_drift_is_told_once_and_its_end_once(
    tmp_path: Path, registry: Registry, new_laptop: NewLaptop, head: str
) -> None:
    """A change on disk reaches Slack once within two minutes; healing it sends one more."""
    with (
        Slack() as slack,
        Server(
            tmp_path / "server",
            npm_registry_url=registry.url,
            slack_webhook_url=slack.url,
        ).start() as server,
    ):
        laptop = new_laptop(head, label="ada").enrol(server)
        laptop.start()
        server.wait_for("ada", "match")

        laptop.claude_settings(effortLevel="low")
        drifted = slack.wait_for(1, timeout_s=120)
        laptop.claude_settings()
        healed = slack.wait_for(2, timeout_s=180)
        server.wait_for("ada", "match")
        # A message that came twice would have been due by now.
        after = slack.wait_for(3, timeout_s=15)

    assert len(drifted) == 1
    assert "ada" in json.dumps(drifted[0])
    assert "effortLevel" in json.dumps(drifted[0])
    assert len(healed) == len(after) == 2
    assert "ada" in json.dumps(healed[1])


def test_500_machines_drifting_by_one_cause_make_one_message(
    tmp_path: Path, registry: Registry, head: str
) -> None:
    """A grace that ends for 500 machines with 500 profiles is one message."""
    registry.tags["latest"] = PREVIOUS
    with (
        Slack() as slack,
        Server(
            tmp_path / "server",
            npm_registry_url=registry.url,
            slack_webhook_url=slack.url,
            heads_every_s=1,
        ).start() as server,
    ):
        build = public_build(server, PREVIOUS)
        enrol_all(server, 500, lambda number: profile_of(build, at_rest=[leftover(number + 1)]))
        assert standings(server) == {"match": 500}

        registry.tags["latest"] = head
        wait_until(lambda: standings(server) == {"pending": 500})
        server.move_clock(25 * HOUR_S)
        wait_until(lambda: standings(server) == {"drift": 500})
        messages = slack.wait_for(1, timeout_s=90)
        after = slack.wait_for(2, timeout_s=45)

    assert len(messages) == len(after) == 1
    assert "500" in json.dumps(messages[0])
    assert len(set(re.findall(r"laptop-\d{5}", json.dumps(messages[0])))) == 5


def public_build(server: Server, version: str) -> Build:
    """The public linux-x64 build of a version, as the server knows it."""

    def found() -> dict[str, Any] | None:
        for release in server.get("/v1/releases").json()["releases"]:
            for artifact in release["files"]:
                if (release["version"], artifact.get("platform")) == (version, "linux-x64"):
                    return dict(artifact)
        return None

    wait_until(found)
    artifact = found()
    assert artifact is not None
    return Build(
        sha256=artifact["sha256"],
        size=artifact["size"],
        form="binary",
        version=version,
        platform="linux-x64",
    )


def standings(server: Server) -> dict[str, int]:
    """How many machines stand how, without the zeros."""
    counts = server.get("/v1/status").json()["fleet"]["standings"]
    return dict(counts)


def sources(server: Server) -> dict[str, str]:
    """The state of every source."""
    told = server.get("/v1/status").json()["sources"]
    return {each["source"]: each["state"] for each in told}


# requests that are no good


@pytest.fixture
def machine(server: Server) -> Machine:
    """An enrolled machine with an accepted profile."""
    machine = Machine.enrol(server, "scratch")
    machine.check_in(profile_of(Build(sha256="0" * 64, size=1, form="binary")))
    return machine


def rows(server: Server) -> list[str]:
    """Everything that the database says of machines."""
    tables = (
        "machines",
        "presence",
        "profiles",
        "verdicts",
        "wanted",
        "assignments",
        "transitions",
        "counts",
    )
    found = []
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as db:
        for table in tables:
            found += [repr(row) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608
    return sorted(found)


def test_bad_requests_get_a_reason_and_change_nothing(server: Server, machine: Machine) -> None:
    """Malformed, oversized, truncated or wrongly signed-in: a clear 4xx, and no row changes."""
    wait_until(lambda: standings(server) and settled(server, "scratch"))
    before = rows(server)
    good = machine.message(profile_of(Build(sha256="1" * 64, size=1, form="binary")))
    body = json.dumps(
        {
            "wire": 1,
            "profile": good.profile,
            "agent": "0.1.0",
            "epoch": good.epoch,
            "seq": good.seq,
            "clock": good.clock,
        }
    )
    url = server.url + "/v1/check-ins"
    signed = machine.headers
    answers = {
        "no JSON": requests.post(url, data=b"{", headers=signed, timeout=30),
        "a truncated value": requests.post(url, data=body[:-9], headers=signed, timeout=30),
        "an unknown field": requests.post(
            url, data=body.replace('"wire"', '"user": "ada", "wire"'), headers=signed, timeout=30
        ),
        "a wrong type": requests.post(
            url, data=body.replace('"wire": 1', '"wire": "1"'), headers=signed, timeout=30
        ),
        "too much": requests.post(
            url, data=b" " * 2_000_000 + body.encode(), headers=signed, timeout=30
        ),
        "no token": requests.post(
            url, data=body, headers={"Content-Type": "application/json"}, timeout=30
        ),
        "a wrong token": requests.post(
            url, data=body, headers=signed | {"Authorization": "Bearer bpm_x_y"}, timeout=30
        ),
        "an unwanted profile": requests.put(
            f"{server.url}/v1/profiles/{good.profile}", data=b"{}", headers=signed, timeout=30
        ),
        "a wrong enrolment secret": requests.post(
            server.url + "/v1/enrolments",
            json={"wire": 1, "secret": "not-the-secret", "label": "x", "key": "0" * 32},
            timeout=30,
        ),
        "a machine's token for reading": server.get("/v1/status", token=machine.token),
    }

    for name, answer in answers.items():
        assert 400 <= answer.status_code < 500, (name, answer.status_code, answer.text)
        refusal = answer.json()
        assert refusal["error"], name
        assert refusal["advice"], name
    assert answers["an unknown field"].json()["error"].find("user") >= 0
    assert truncated(server, machine, body) == b""
    assert rows(server) == before


def settled(server: Server, label: str) -> bool:
    """Whether nothing is being looked up for a machine any more."""
    return not server.machine(label).get("settling", False)


def truncated(server: Server, machine: Machine, body: str) -> bytes:
    """What the server answers to a body that ends before its stated length: nothing."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(
            (
                "POST /v1/check-ins HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {machine.token}\r\nContent-Length: {len(body)}\r\n\r\n"
                + body[:40]
            ).encode()
        )
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65_536)
    # Hanging up is an answer too; what must not come is an ack.
    return b"" if not answer or b" 4" in answer.splitlines()[0] else answer


def test_a_request_sent_twice_gets_the_first_answer(server: Server, machine: Machine) -> None:
    """The same check-in and the same enrolment again: the same answer, and no row changes."""
    wait_until(lambda: settled(server, "scratch"))
    message = machine.message(profile_of(Build(sha256="0" * 64, size=1, form="binary")))
    first = machine.post(message)
    before = rows(server)

    second = machine.post(message)

    assert (first.status_code, second.status_code) == (200, 200)
    told = ("state", "tag")
    assert [first.json()[name] for name in told] == [second.json()[name] for name in told]
    assert rows(server) == before


def test_a_server_that_cannot_start_says_in_one_line_what_to_do(
    server: Server, tmp_path: Path
) -> None:
    """An unwritable folder, a port in use, a bad setting: one line each, and exit code 1."""
    blocked = tmp_path / "a-file"
    blocked.write_text("", encoding="utf-8")
    tries = {
        "folder": Server(tmp_path / "one", data_dir=blocked / "data"),
        "port": Server(tmp_path / "two", port=server.port),
        "setting": Server(tmp_path / "three", heads_every_s="soon"),
        "second": Server(tmp_path / "four", data_dir=server.settings["data_dir"]),
    }

    said = {name: each.command("serve") for name, each in tries.items()}

    for name, done in said.items():
        assert done.returncode == 1, (name, done.stdout, done.stderr)
        assert len(done.stderr.strip().splitlines()) == 1, (name, done.stderr)
        assert "Traceback" not in done.stderr
    assert str(blocked) in said["folder"].stderr
    assert str(server.port) in said["port"].stderr
    assert "HEADS_EVERY_S" in said["setting"].stderr


# kill -9


def test_kill_9_of_the_server_loses_no_acknowledged_check_in(
    tmp_path: Path, registry: Registry
) -> None:
    """Under a stream of check-ins the server is killed five times; every ack is in the rows."""
    profile = profile_of(Build(sha256="0" * 64, size=1, form="binary"))
    with Server(tmp_path / "server", npm_registry_url=registry.url).start() as server:
        machines = enrol_all(server, 8, lambda _: profile)
        for _ in range(5):
            stop = threading.Event()
            reached = threading.Barrier(len(machines) + 1)
            threads = [
                threading.Thread(target=stream, args=(each, profile, stop, reached))
                for each in machines
            ]
            for thread in threads:
                thread.start()
            reached.wait(60)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            acknowledged = {each.label: each.seq for each in machines}
            server.start()
            found = kept(server)
            assert [name for name, seq in acknowledged.items() if found[name] < seq] == []
            for each in machines:
                each.seq = found[each.label]


def stream(
    machine: Machine, profile: Any, stop: threading.Event, reached: threading.Barrier
) -> None:
    """Checks in until the server is gone; says when it is well under way."""
    started = machine.seq
    waited = False
    while not stop.is_set():
        try:
            machine.check_in(profile)
        except requests.RequestException:
            return
        if not waited and machine.seq >= started + 20:
            waited = True
            reached.wait(60)


def kept(server: Server) -> dict[str, int]:
    """The last seq of every machine in the database."""
    with sqlite3.connect(f"file:{server.database}?mode=ro", uri=True) as db:
        return dict(
            db.execute(
                "SELECT label, seq FROM machines JOIN presence ON machine_id = machines.id"
            ).fetchall()
        )


def test_an_ack_is_written_after_the_sync_of_the_wal(
    tmp_path: Path, registry: Registry, strace: str
) -> None:
    """By strace: a sync of the WAL returns between each request's arrival and its answer."""
    trace = tmp_path / "trace"
    calls = "trace=openat,fsync,fdatasync,read,readv,recvfrom,write,writev,sendto,sendmsg"
    server = Server(tmp_path / "server", npm_registry_url=registry.url)
    with server.start(prefix=(strace, "-f", "-ttt", "-s", "200", "-o", trace, "-e", calls)):
        machine = Machine.enrol(server, "scratch")
        profile = profile_of(Build(sha256="0" * 64, size=1, form="binary"))
        for _ in range(10):
            machine.check_in(profile)

    seen = list(events(trace))

    acks = [index for index, kind in enumerate(seen) if kind == "ack"]
    assert len(acks) == 10
    for index in acks:
        asked = max(at for at in range(index) if seen[at] == "check-in")
        assert "synced" in seen[asked:index], seen[asked : index + 1]


def events(trace: Path) -> Iterator[str]:
    """``check-in``, ``synced`` and ``ack`` in the order in which the kernel finished them."""
    wal: set[str] = set()
    waiting: dict[str, str] = {}
    for line in trace.read_text(encoding="utf-8", errors="replace").splitlines():
        thread, _, call = line.split(maxsplit=2)
        if call.endswith("<unfinished ...>"):
            waiting[thread] = call
            continue
        if "resumed>" in call:
            call = waiting.pop(thread, "") + call
        if opened := re.search(r'openat\(.*-wal".* = (\d+)$', call):
            wal.add(opened[1])
        elif "POST /v1/check-ins" in call:
            yield "check-in"
        elif (synced := re.match(r"f(?:data)?sync\((\d+)", call)) and call.endswith("= 0"):
            if synced[1] in wal:
                yield "synced"
        elif "HTTP/1.1 200" in call:
            yield "ack"


def test_kill_9_of_the_agent_loses_no_change_that_it_had_seen(
    server: Server, new_laptop: NewLaptop, head: str
) -> None:
    """A change seen while the server was away is told after the agent was killed."""
    laptop = new_laptop(head).enrol(server)
    assert verdict(laptop)[1]["standing"] == "match"
    server.stop()
    laptop.claude_settings(effortLevel="low")
    laptop.settings["watch_interval_s"] = "2"
    laptop.start()
    wait_until(lambda: changes_waiting(laptop) == 1, timeout_s=90)
    laptop.stop(signal.SIGKILL)
    laptop.claude_settings()
    server.start()

    assert verdict(laptop)[1]["standing"] == "match"

    told = [each["standing"] for each in server.machine("scratch")["timeline"]]
    assert "drift" in told


def changes_waiting(laptop: Laptop) -> int:
    """How many changes the journal keeps for the server."""
    with sqlite3.connect(f"file:{laptop.state / 'journal.db'}?mode=ro", uri=True) as db:
        return int(db.execute("SELECT count(*) FROM changes").fetchone()[0])


# the registry goes away


def test_an_outage_of_the_registry_is_the_operators_and_ends_by_itself(
    tmp_path: Path, registry: Registry, new_laptop: NewLaptop, head: str
) -> None:
    """Ten minutes change nothing; a day is unknown and one message; then all is right again."""
    with (
        Slack() as slack,
        Server(
            tmp_path / "server",
            npm_registry_url=registry.url,
            slack_webhook_url=slack.url,
            heads_every_s=1,
        ).start() as server,
    ):
        laptop = new_laptop(head).enrol(server)
        assert verdict(laptop)[1]["standing"] == "match"

        registry.off()
        wait_until(lambda: sources(server) == {"npm": "unreachable"})
        server.move_clock(HOUR_S / 6)
        assert verdict(laptop)[1]["standing"] == "match"
        server.move_clock(24 * HOUR_S)
        unknown = server.wait_for("scratch", "unknown")
        outage = slack.wait_for(1, timeout_s=60)
        registry.on()
        # A source that fails is asked less and less often; the next time has come now.
        server.move_clock(26 * HOUR_S)
        server.wait_for("scratch", "match")
        over = slack.wait_for(2, timeout_s=60)
        after = slack.wait_for(3, timeout_s=15)

    assert codes(unknown) == ["build-behind"]
    assert "npm" in json.dumps(outage[0])
    assert "scratch" not in json.dumps(over)
    assert len(after) == 2
