"""`install/try` as a new user types it, in a copy of the checkout."""

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing answers there."""

BUILD = (
    b"\x7fELF" + b"\0" * 64 + b'PACKAGE_URL:"@anthropic-ai/claude-code",README_URL:"x",'
    b'VERSION:"2.1.330",FEEDBACK_CHANNEL:"x",BUILD_TIME:"2026-11-20T10:00:00Z",'
    b'GIT_SHA:"0123456789012345678901234567890123456789"'
)
"""Enough of a program to claim a version; the bytes are nobody's."""


def copy_checkout(target: Path) -> Path:
    """The files that a user gets, and nothing that a run has made."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("agent", "server", "install"):
        shutil.copytree(ROOT / name, target / name, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy for all tests that make its environment."""
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy in which nothing was ever run."""
    return copy_checkout(tmp_path / "bare")


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """A user whose home and system are scratch folders, and no source that answers."""
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARITY_")}
    return kept | {
        "HOME": str(home),
        "SHELL": "/bin/bash",
        "PARITY_AGENT_SYSTEM_ROOT": str(root),
        "PARITY_SERVER_BUCKET_URL": NOWHERE,
    }


def attempt(
    checkout: Path, variables: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    """Runs `install/try` to its end."""
    return subprocess.run(
        [checkout / "install" / "try", *words],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def plant(variables: Mapping[str, str]) -> None:
    """Puts a native install into the scratch home."""
    home = Path(variables["HOME"])
    program = home / ".local" / "share" / "claude" / "versions" / "2.1.330"
    program.parent.mkdir(parents=True)
    program.write_bytes(BUILD)
    program.chmod(0o755)
    launcher = home / ".local" / "bin" / "claude"
    launcher.parent.mkdir(parents=True)
    launcher.symlink_to(program)
    (home / ".profile").write_text('PATH="$HOME/.local/bin:$PATH"\n', encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("--bogus",),
        ("now",),
        ("--with-claude",),
        ("--with-claude", "2.1"),
        ("--with-claude", "../../etc"),
        ("--registry", "npm.example.com"),
        ("--registry=file:///etc",),
        ("--clean", "--once"),
    ],
)
def test_bad_usage_is_one_line_and_makes_nothing(
    bare: Path, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    """The exit code is 2, and the line says what is wrong."""
    done = attempt(bare, variables, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert not (bare / ".try").exists()


def test_help_names_every_exit_code(bare: Path, variables: dict[str, str]) -> None:
    """Asking costs nothing: no environment is made for it."""
    done = attempt(bare, variables, "--help")
    assert done.returncode == 0
    assert all(f"{code} " in done.stdout for code in (0, 10, 11, 12, 13, 14, 1, 2))
    assert not (bare / ".try").exists()


def test_clean_removes_all_that_was_made_and_nothing_else(
    bare: Path, variables: dict[str, str]
) -> None:
    """The checkout is as before; a link out of the folder is not followed."""
    before = sorted(bare.rglob("*"))
    outside = bare.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    made = bare / ".try" / "homes" / "2.1.240"
    made.mkdir(parents=True)
    (made / "link").symlink_to(outside)
    assert attempt(bare, variables, "--clean").returncode == 0
    assert sorted(bare.rglob("*")) == before
    assert (outside / "kept").exists()


def test_clean_of_nothing_is_no_error(bare: Path, variables: dict[str, str]) -> None:
    """A second --clean has nothing to do."""
    done = attempt(bare, variables, "--clean")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (bare / ".try").exists()


@pytest.mark.parametrize("words", [("--clean",), ("--once",)])
def test_a_second_run_leaves_the_first_one_alone(
    bare: Path, variables: dict[str, str], words: tuple[str, ...]
) -> None:
    """Two runs in one checkout would share a database; one line says so."""
    (bare / ".try").mkdir()
    with (bare / ".try" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = attempt(bare, variables, *words)
    assert done.returncode == 1
    assert done.stderr == "install/try is running here already: end it first\n"


def test_without_npm_a_release_cannot_be_had_and_one_line_says_so(
    bare: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    """Nothing else was tried before."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("sh", "dirname"):
        (commands / name).symlink_to(shutil.which(name) or "")
    (commands / "python3.11").symlink_to(Path(sys.executable).resolve())
    done = attempt(bare, variables | {"PATH": str(commands)}, "--once", "--with-claude", "latest")
    assert done.returncode == 1
    assert done.stderr == ("--with-claude needs npm, and there is none on PATH: install Node.js\n")


def test_without_a_python_that_is_new_enough_one_line_says_so(
    bare: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    """A command of the right name that does not run is passed over."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("sh", "dirname"):
        (commands / name).symlink_to(shutil.which(name) or "")
    broken = commands / "python3.11"
    broken.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    done = attempt(bare, variables | {"PATH": str(commands)}, "--once")
    assert done.returncode == 1
    assert done.stderr.startswith("no Python 3.11 or later on PATH: ")
    assert done.stderr.count("\n") == 1


def test_a_laptop_without_claude_code_is_told_so_kindly(
    checkout: Path, variables: dict[str, str]
) -> None:
    """The exit code is 13, and the text says what to do."""
    done = attempt(checkout, variables, "--once", "--registry", NOWHERE)
    assert done.returncode == 13, done.stderr
    assert "No Claude Code was found" in done.stdout


def test_without_any_source_the_verdict_is_unknown_and_one_line_says_what_to_give(
    checkout: Path, variables: dict[str, str]
) -> None:
    """Never a guess: the number alone proves nothing."""
    plant(variables)
    done = attempt(checkout, variables, "--once", "--registry", NOWHERE)
    assert done.returncode == 12, done.stdout + done.stderr
    assert "unknown" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("no release source could be reached")
    assert "--registry URL" in done.stderr


def test_a_second_run_makes_nothing_twice(checkout: Path, variables: dict[str, str]) -> None:
    """The same environment, enrolment, secrets and port."""

    def kept() -> dict[str, int]:
        place = checkout / ".try"
        files = (file for file in place.rglob("*") if file.is_file())
        fixed = (file for file in files if "data" not in file.parts and file.name != "server.log")
        names = ("port", "secret", "token", "identity.json", "made-from.json", "pyvenv.cfg")
        return {str(file): file.stat().st_mtime_ns for file in fixed if file.name.endswith(names)}

    attempt(checkout, variables, "--once", "--registry", NOWHERE)
    before = kept()
    done = attempt(checkout, variables, "--once", "--registry", NOWHERE)
    assert done.returncode == 13, done.stderr
    assert kept() == before
    assert len(before) == 6
    assert "installing" not in done.stderr


class Running:
    """`install/try` that stays up."""

    def __init__(self, checkout: Path, variables: Mapping[str, str], log: Path) -> None:
        self.lock = checkout / ".try" / "data" / "server.db.lock"
        with log.open("wb") as told:
            self.process = subprocess.Popen(
                [checkout / "install" / "try", "--registry", NOWHERE],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, "")
        curl = next((line for line in lines if "curl -H" in line), "")
        assert curl, log.read_text(encoding="utf-8")
        self.token = curl.split("Bearer ")[1].split("'")[0]
        self.port = int(curl.split("127.0.0.1:")[1].split("/")[0])

    def status(self) -> dict[str, object] | None:
        """What the server says; None when nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                "GET", "/v1/status", headers={"Authorization": f"Bearer {self.token}"}
            )
            return dict(json.loads(connection.getresponse().read()))
        except OSError:
            return None
        finally:
            connection.close()

    def is_gone_after(self, number: signal.Signals) -> bool:
        """Whether the server ends within half a minute when the script gets a signal."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as held:
            self.process.send_signal(number)
            with contextlib.suppress(ConnectionResetError):
                held.recv(1)  # returns when the server's end is closed
        return self.status() is None

    def end(self) -> None:
        """Ends the run, and returns when its server has let go of the database."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=60)
        with self.lock.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.fixture
def running(checkout: Path, variables: dict[str, str], tmp_path: Path) -> Iterator[Running]:
    """A run that has printed its curl line."""
    started = Running(checkout, variables, tmp_path / "told")
    yield started
    started.end()


def test_the_server_stays_up_until_ctrl_c(running: Running) -> None:
    """The printed line works as it stands; Ctrl-C is the normal end."""
    status = running.status()
    assert status is not None
    assert "fleet" in status
    assert running.is_gone_after(signal.SIGINT)
    assert running.process.wait(60) == 0


def test_the_server_does_not_outlive_a_script_that_was_killed(running: Running) -> None:
    """The system closes the pipe that the server hangs on."""
    assert running.is_gone_after(signal.SIGKILL)
