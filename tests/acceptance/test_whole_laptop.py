"""The whole laptop, line by line: every copy, every running session, every override.

Everything runs through the installed commands, on packages from the registries. Sessions are
stand-in programs: no Claude Code is ever started.
"""

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.fingerprint import SETTLED_NS
from tests.agent.standin import copied, sleeping, waiting
from tests.conftest import ClaudePackage
from tests.e2e import canaries, copies, reading
from tests.e2e.harness import COMMANDS, Laptop, Server, tree
from tests.e2e.waiting import wait_until
from tests.e2e.wiretap import Wiretap

pytestmark = pytest.mark.real

SHA256 = {
    "2.1.330": "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb",
    "2.1.329": "30e2724e2aecb1bf5dc9f3130901afb71c5fa229051c190a6d7ad9aff6378d6d",
}
"""Facts 7.1."""

CHANGING = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC"
    r"|\b(unlink|rename|link|symlink|mkdir|rmdir|chmod|chown|utime|mknod|truncate|setxattr)"
)


@pytest.fixture(scope="module")
def packages(claude_package: ClaudePackage, python_sdk: Callable[[str], Path]) -> copies.Packages:
    """Real packages."""
    return copies.Packages(claude_package, python_sdk)


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """A laptop with an empty home."""
    with Laptop(tmp_path / "laptop") as made:
        yield made


def profile_of(laptop: Laptop) -> dict[str, Any]:
    """The profile that would be sent now."""
    done = laptop.run("show", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["profile"])


# six copies


@pytest.mark.origin("native", "bytes")
@pytest.mark.origin("editor_extension", "bytes")
def test_six_copies_are_six_installs_and_nothing_is_executed_or_changed(
    server: Server, laptop: Laptop, packages: copies.Packages, strace: str, tmp_path: Path
) -> None:
    """Method, bytes, platform, what starts it, what is at rest; by strace one program ran."""
    copies.lay(laptop, packages)
    node_20 = bytes_of(packages.npm(copies.NODE_20))
    laptop.enrol(server)
    before = tree(laptop.home)
    trace = tmp_path / "trace"

    done = laptop.run(
        "check", "--json", "--wait", "90",
        prefix=(strace, "-f", "-o", trace, "-e", "trace=%process,%file"),
    )  # fmt: skip

    assert done.stdout, done.stderr
    told = json.loads(done.stdout)["machine"]["installs"]
    found = {(each["install"]["method"], each["install"].get("claimed")): each for each in told}
    assert len(told) == len(found) == 6, json.dumps(told, indent=1)
    seen = {
        key: (
            each["install"]["place"],
            tuple(each["install"].get("starts", ())),
            (each["install"].get("build") or {}).get("sha256"),
            each["install"].get("state", "ok"),
        )
        for key, each in found.items()
    }
    assert seen == {
        ("native", "2.1.330"): ("versions", ("terminal",), SHA256["2.1.330"], "ok"),
        ("editor_extension", "2.1.330"): ("vscode", ("editor",), SHA256["2.1.330"], "ok"),
        ("agent_sdk", "2.1.330"): ("venv", ("sdk",), SHA256["2.1.330"], "ok"),
        ("npm", "2.1.329"): ("nvm", (), SHA256["2.1.329"], "ok"),
        ("npm", "2.1.197"): ("nvm", (), node_20, "ok"),
        ("npm", "2.1.330"): ("global", (), None, "stub"),
    }
    builds = [each["install"]["build"] for each in told if "build" in each["install"]]
    assert {each["platform"] for each in builds} == {"linux-x64"}
    assert not changes(trace, laptop.home)
    assert programs_in(trace) == {str(COMMANDS / "parity-agent")}
    assert tree(laptop.home) == before


def bytes_of(prefix: Path) -> str:
    """The SHA-256 of the program in an npm prefix."""
    program = prefix / "lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def programs_in(trace: Path) -> set[str]:
    """What was executed."""
    text = trace.read_text(encoding="utf-8", errors="replace")
    return set(re.findall(r'execve\("([^"]+)".* = 0', text))


def changes(trace: Path, home: Path) -> list[str]:
    """Calls that would change something in a home."""
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    in_home = [line for line in lines if f'"{home}' in line]
    assert in_home
    return [line for line in in_home if CHANGING.search(line)]


# running sessions


@pytest.mark.origin("sessions", "real")
def test_a_session_whose_file_was_deleted_is_told_with_its_bytes(
    server: Server, laptop: Laptop
) -> None:
    """Found in memory, named as deleted, on the laptop and by the server."""
    version = copied(laptop.home / ".local/share/claude/versions/2.1.329")
    expected = hashlib.sha256(version.read_bytes()).hexdigest()
    with sleeping(version) as session:
        version.unlink()
        laptop.settings["process_roots"] = str(session.pid)
        laptop.enrol(server)
        (found,) = profile_of(laptop)["sessions"]
        assert (found["file"], found["build"]["sha256"]) == ("deleted", expected)
        done = laptop.check()
    shown = rf"sha256 {expected[:12]}  deleted"
    assert re.search(shown, done.stdout), done.stdout
    (finding,) = server.machine(laptop.label)["findings"]
    assert finding["code"] == "session-outdated"
    assert "whose file was deleted" in finding["sentence"]


# secrets

COMMANDS_THAT_PRINT = (
    ("check",),
    ("check", "--json"),
    ("status",),
    ("status", "--json"),
    ("show",),
    ("show", "--json"),
    ("show", "--last"),
    ("explain",),
    ("explain", "config-overridden"),
    ("fix",),
    ("doctor",),
    ("doctor", "--json"),
    ("service", "status"),
)


def test_no_secret_is_sent_stored_printed_or_logged_and_none_of_the_worst_is_opened(
    server: Server, laptop: Laptop, packages: copies.Packages, strace: str, tmp_path: Path
) -> None:
    """Planted in each file, variable, argument and process; the daemon looks too."""
    copies.lay(laptop, packages)
    canaries.plant(laptop.home, laptop.root)
    program = laptop.home / ".local/share/claude/versions/2.1.329"
    with (
        waiting(program, *canaries.arguments(), variables=canaries.variables("session")) as session,
        Wiretap(server.port) as wire,
    ):
        canaries.registered(laptop.home, session.pid, start_of(session.pid))
        laptop.settings |= {"process_roots": str(session.pid), "log_level": "debug"}
        laptop.variables |= canaries.variables("agent")
        printed = "".join(
            done.stdout + done.stderr
            for words in (("enrol", "--server", wire.url, "--label", "scratch"),)
            for done in [laptop.run(*words, "--secret-file", server.secret_file)]
        )
        trace = tmp_path / "trace"
        tracing = (strace, "-f", "-s", "400", "-o", trace, "-e", "trace=%file")
        laptop.start(prefix=tracing)
        server.wait_for("scratch", "unknown")
        for words in COMMANDS_THAT_PRINT:
            done = laptop.run(*words)
            printed += done.stdout + done.stderr
        laptop.stop()

    stored = {
        path: canaries.found(path.read_bytes())
        for folder in (laptop.state, server.folder)
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert canaries.found(bytes(wire.sent)) == set()
    assert canaries.found(printed.encode()) == set(), printed
    assert canaries.found(laptop.log.read_bytes()) == set()
    assert {path: places for path, places in stored.items() if places} == {}
    # What was looked at for other things was looked at.
    for told in (b'"key":"model","kind":"flag"', b'"layer":"session"', b'"key":"memory"'):
        assert told in wire.sent
    assert "No such command" not in printed
    secret = server.secret_file.read_bytes().strip()
    assert secret not in printed.encode()
    assert not [path for path in laptop.state.rglob("*") if secret in path.read_bytes()]
    opened = trace.read_text(encoding="utf-8", errors="replace")
    assert str(laptop.home / ".claude/settings.json") in opened
    for name in canaries.NEVER:
        assert not re.search(rf'open\w*\([^"]*"{re.escape(str(laptop.home / name))}"', opened), name
    assert '.key"' not in opened


def start_of(pid: int) -> str:
    """The start token of a process (proc(5), field 22)."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()[19]


# budgets

CYCLES = 5_000


def test_the_agent_does_not_grow_over_five_thousand_cycles(server: Server, laptop: Laptop) -> None:
    """After the first tenth it holds what it holds at the end; some cycles speak."""
    copied(laptop.home / ".local/share/claude/versions/2.1.329")
    laptop.enrol(server)

    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.growth", str(CYCLES)],
        cwd=Path(__file__).resolve().parents[2],
        env=laptop.environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    held = {name: (values[0], max(values[1:])) for name, values in json.loads(done.stdout).items()}
    assert held["files"][1] == held["files"][0], held
    assert held["state bytes"][1] <= held["state bytes"][0] * 1.1, held
    assert held["objects"][1] <= held["objects"][0] * 1.01, held
    assert held["resident KiB"][1] <= held["resident KiB"][0] * 1.05, held


LARGE_BYTES = 1024 * 1024


def test_an_unchanged_cycle_reads_no_large_file(
    server: Server, laptop: Laptop, packages: copies.Packages, strace: str, tmp_path: Path
) -> None:
    """By strace: the first look reads every program whole, the next one none of them."""
    copies.lay(laptop, packages)
    laptop.enrol(server)
    large = {path for path in laptop.home.rglob("*") if path.stat().st_size > LARGE_BYTES}
    wait_until(lambda: _settled(large))
    reads = []
    for name in ("first", "unchanged"):
        prefix = reading.tracing(strace, tmp_path / name)
        done = laptop.run("check", "--json", "--wait", "90", prefix=prefix)
        assert done.stdout, done.stderr
        reads.append(reading.read_in(tmp_path / name))

    first, unchanged = reads
    hashed = {Path(path).stat().st_ino for path, size in first.items() if size > LARGE_BYTES}
    assert {path.stat().st_ino for path in large} <= hashed
    assert unchanged[str(laptop.home / ".profile")] > 0
    assert {path: size for path, size in unchanged.items() if size > LARGE_BYTES} == {}
    assert not large.intersection(map(Path, unchanged))


def _settled(files: Iterable[Path]) -> bool:
    """Whether the agent would remember what it hashes now: a new name changes a file too."""
    return max(path.stat().st_ctime_ns for path in files) + SETTLED_NS < time.time_ns()
