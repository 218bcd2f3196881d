"""Real parts for end-to-end tests: a server process and scratch laptops.

Everything is started through the installed commands, on loopback, in folders of the test's
own. A laptop sees one scratch home and an empty system root, so that nothing of the machine
that runs the tests is looked at; no process gets more of this machine's environment than it
needs to start. Real releases come from the fixtures of `tests/conftest.py`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.e2e import shifted

COMMANDS = Path(sys.executable).parent
"""Where this environment's commands are."""

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 180.0
POLL_S = 0.05

_PASSED_ON = (
    "PATH",
    "LANG",
    "TMPDIR",
    # What reaching the real registry may take here.
    "HTTPS_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
)


def plain_environment(home: Path) -> dict[str, str]:
    """What a process gets of this machine: enough to start, and another home."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {"HOME": str(home), "SHELL": "/bin/bash", "NO_COLOR": "1"}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Server:
    """A ``parity-server`` in a folder of its own; a context manager that ends it.

    Attributes:
        folder: Its data, its log, its secrets.
        settings: As ``PARITY_SERVER_*`` variables, without the prefix, in lower case.
        process: The running process; None while it is stopped.
        port: The same for every start.
    """

    def __init__(self, folder: Path, **settings: str | int | Path) -> None:
        self.folder = folder
        self.settings: dict[str, str | int | Path] = {"bucket_url": "", "data_dir": folder / "data"}
        self.settings |= settings
        self.process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = folder / "clock"
        if not self._clock.exists():
            shifted.write(self._clock, 0)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """All that it said, over all starts."""
        return self.folder / "server.log"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return Path(str(self.settings["data_dir"]), "server.db")

    @property
    def secret_file(self) -> Path:
        """The enrolment secret, made on the first start."""
        return self.folder / "secret"

    @property
    def token(self) -> str:
        """A viewer's token, made on the first start."""
        return (self.folder / "token").read_text(encoding="utf-8").strip()

    @property
    def environment(self) -> dict[str, str]:
        """Its variables."""
        told = {f"PARITY_SERVER_{name.upper()}": str(each) for name, each in self.settings.items()}
        # A server that is told of no registry finds no npm either, which knows one.
        path = {} if self.settings.get("npm_registry_url") else {"PATH": str(COMMANDS)}
        return plain_environment(self.folder) | path | told

    def command(
        self, *words: str | Path, timeout_s: float = COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Runs a ``parity-server`` command to its end, whatever its exit code."""
        return subprocess.run(
            self._by_its_clock(*words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def prepare(self) -> None:
        """Makes the database, an enrolment secret and a viewer's token, once."""
        if self.secret_file.exists():
            return
        self.command("migrate").check_returncode()
        for file, words in (
            (self.secret_file, ("enrolment-secret", "create")),
            (self.folder / "token", ("token", "create", "tests")),
        ):
            made = self.command(*words)
            made.check_returncode()
            file.write_text(made.stdout.strip(), encoding="utf-8")
            file.chmod(0o600)

    def start(self, *, prefix: Sequence[str | Path] = ()) -> Self:
        """Starts it and waits until it listens.

        Args:
            prefix: A command that runs it, such as ``strace -f -o FILE``.

        Raises:
            AssertionError: It did not start; the message holds its log.
        """
        self.prepare()
        begin = self.log.stat().st_size if self.log.exists() else 0
        serve = self._by_its_clock("serve", "--host", "127.0.0.1", "--port", str(self.port))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *serve],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ends = time.monotonic() + START_TIMEOUT_S
        while self.url not in self.said()[begin:]:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < ends, self.said()
            time.sleep(POLL_S)
        return self

    def stop(self) -> int:
        """Ends it as an operator would; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Ends it as a power cut would."""
        return self._end(signal.SIGKILL)

    def move_clock(self, ahead_s: float) -> None:
        """Makes the clock of its machine show a later time, running or not."""
        shifted.write(self._clock, ahead_s)

    def _by_its_clock(self, *words: str | Path) -> Sequence[str | Path]:
        command = COMMANDS / "parity-server"
        return (sys.executable, "-P", shifted.__file__, self._clock, command, *words)

    def get(self, path: str, *, token: str | None = None) -> requests.Response:
        """What it answers to a reader."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return requests.get(self.url + path, headers=headers, timeout=30)

    def machine(self, label: str) -> dict[str, Any]:
        """What it tells of a machine, by its label."""
        page = self.get("/v1/machines").json()
        found = next(each for each in page["machines"] if each["label"] == label)
        return dict(self.get(f"/v1/machines/{found['machine']}").json())

    def wait_for(self, label: str, standing: str, timeout_s: float = 120) -> dict[str, Any]:
        """What it tells of a machine, once it stands like that.

        Raises:
            AssertionError: It does not in time.
        """
        ends = time.monotonic() + timeout_s
        while (seen := self.machine(label))["standing"] != standing:
            assert time.monotonic() < ends, (standing, seen, self.said())
            time.sleep(POLL_S * 4)
        return seen

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        ending, self.process = self.process, None
        return _ended(ending, number)

    def __enter__(self) -> Self:
        return self if self.process else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.stop()
        self.process = None


@dataclass
class Laptop:
    """A scratch machine with an agent.

    Attributes:
        folder: Its home, system root and state.
        label: Its name at the server.
        settings: As ``PARITY_AGENT_*`` variables, without the prefix, in lower case.
        variables: What else the agent's commands find in their environment.
        daemon: The running ``parity-agent run``; None while there is none.
    """

    folder: Path
    label: str = "scratch"
    settings: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    daemon: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        for each in (self.home, self.root):
            each.mkdir(parents=True, exist_ok=True)

    @property
    def home(self) -> Path:
        """The scanned home folder."""
        return self.folder / "home"

    @property
    def root(self) -> Path:
        """Stands for the system's root."""
        return self.folder / "root"

    @property
    def state(self) -> Path:
        """What the agent remembers; outside of the scanned home."""
        return self.folder / "state"

    @property
    def log(self) -> Path:
        """What the daemon said."""
        return self.folder / "agent.log"

    @property
    def environment(self) -> dict[str, str]:
        """The agent's variables."""
        scratch = {"state_dir": self.state, "system_root": self.root, "notify_desktop": "false"}
        told = scratch | {"spread_s": "0"} | self.settings
        names = {f"PARITY_AGENT_{name.upper()}": str(value) for name, value in told.items()}
        return plain_environment(self.home) | self.variables | names

    def run(
        self, *words: str | Path, prefix: Sequence[str | Path] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Runs a ``parity-agent`` command to its end, whatever its exit code."""
        return subprocess.run(
            [*prefix, COMMANDS / "parity-agent", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )

    def enrol(self, server: Server) -> Self:
        """Makes it known to a server.

        Raises:
            AssertionError: It was refused.
        """
        named = ("--server", server.url, "--label", self.label)
        done = self.run("enrol", *named, "--secret-file", server.secret_file)
        assert done.returncode == 0, done.stderr
        return self

    def check(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One full look and check-in, with the time for look-ups."""
        return self.run("check", "--wait", "90", *words)

    def check_json(self) -> dict[str, Any]:
        """The server's word and what the laptop adds, as JSON."""
        done = self.check("--json")
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))

    def start(self, *, prefix: Sequence[str | Path] = ()) -> Self:
        """Starts the daemon.

        Args:
            prefix: A command that runs it, such as ``strace -f -o FILE``.
        """
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen(
                [*prefix, COMMANDS / "parity-agent", "run"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the daemon; its exit code."""
        assert self.daemon is not None
        ending, self.daemon = self.daemon, None
        return _ended(ending, number)

    def claude_settings(self, **values: object) -> None:
        """Writes Claude Code's user settings."""
        file = self.home / ".claude" / "settings.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            self.stop()


def _ended(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """The exit code of a process that gets a signal, with all that it has started."""
    os.killpg(process.pid, number)
    try:
        return process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # nothing outlives its test
        process.wait()
        raise


def tree(folder: Path) -> Mapping[str, tuple[int, ...]]:
    """Every entry below a folder with all that a look could change, times included.

    But for links: the kernel stamps a link that is followed, and nobody can ask it not to.
    """
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        seen = path.lstat()
        read_at = 0 if path.is_symlink() else seen.st_atime_ns
        times = (read_at, seen.st_mtime_ns, seen.st_ctime_ns)
        name = str(path.relative_to(folder))
        found[name] = (seen.st_ino, seen.st_mode, seen.st_nlink, seen.st_size, *times)
    return found
