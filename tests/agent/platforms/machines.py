"""One machine after another, live and recorded, with the same files and the same processes.

What holds of all is asserted by the contract; where systems differ, `DIFFERENCES` says so and
nothing else does. The modules of other systems run here over real files and processes, as far
as they ask a library and not the system itself.
"""

import importlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, Protocol

from agent.host import Host
from agent.started import Kept
from agent.testing import RecordedHost
from tests.agent.standin import runtime, waiting


@dataclass(frozen=True)
class Differences:
    """What is peculiar to one system.

    Attributes:
        home: A user's home folder there.
        login: The login shell where nothing names one.
        program: What a shell finds as ``claude``.
        managed: The folder of managed settings (facts 3.2).
        preferences: Property lists of managed preferences of the user ``u`` (facts 3.2).
        has_modes: A file's mode says whether it can be executed.
        shows_memory: The bytes in memory can be read.
        begun: What a start token looks like (facts 4.2).
        recorded: One of these.
        policy: A text of the registry, on a recorded machine.
        variables: What the system keeps for its users, on a recorded machine.
    """

    home: PurePath
    login: str
    program: str
    managed: str
    begun: str
    recorded: str
    preferences: tuple[str, ...] = ()
    has_modes: bool = True
    shows_memory: bool = False
    policy: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


DIFFERENCES: Mapping[str, Differences] = {
    "darwin": Differences(
        home=PurePosixPath("/Users/u"),
        login="zsh",
        program="claude",
        managed="/Library/Application Support/ClaudeCode",
        preferences=(
            "/Library/Managed Preferences/u/com.anthropic.claudecode.plist",
            "/Library/Managed Preferences/com.anthropic.claudecode.plist",
        ),
        begun=r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d \d{4}",
        recorded="Sun Nov  2 19:52:04 2025",
    ),
    "linux": Differences(
        home=PurePosixPath("/home/u"),
        login="bash",
        program="claude",
        managed="/etc/claude-code",
        shows_memory=True,
        begun=r"\d{1,12}",
        recorded="4711",
    ),
    "win32": Differences(
        home=PureWindowsPath(r"C:\Users\u"),
        login="cmd",
        program="claude.exe",
        managed="C:/Program Files/ClaudeCode",
        has_modes=False,
        begun=r"1\d{17}",
        recorded="134064871240000000",
        policy="{}",
        variables={"claude_x": "1", "SECRET": "secret"},
    ),
}

ENVIRONMENT = {"CLAUDE_X": "0"}
"""What every machine's agent was started with."""

_FOLDERS = ("folder", "first", "second")


class Machine(Protocol):
    """A scratch machine with the files of `files_of`, and processes for the asking."""

    @property
    def differs(self) -> Differences:
        """What is peculiar to its system."""
        ...

    @property
    def home(self) -> PurePath:
        """Its user's home folder."""
        ...

    @property
    def policy(self) -> str | None:
        """The machine's text in its registry."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """What its system keeps for the user."""
        ...

    def host(self, *roots: int) -> Host:
        """It, with no process but these and their descendants."""
        ...

    def waiting(self, *words: str, variables: Mapping[str, str]) -> AbstractContextManager[int]:
        """A process of `running_program`, by its number, until the block ends."""
        ...

    def scripted(self, *words: str) -> AbstractContextManager[int]:
        """The same of a runtime that runs `running_script`."""
        ...


def running_program(machine: Machine) -> PurePath:
    """What `Machine.waiting` executes."""
    return machine.home / "running" / "claude"


def running_script(machine: Machine) -> PurePath:
    """What the runtime of `Machine.scripted` was told to run."""
    return machine.home / "cli.js"


def files_of(program: str) -> Mapping[str, Mapping[str, Any]]:
    """The files below a machine's home, as `agent.testing` writes them."""
    return {
        "folder/file": {"text": "text"},
        f"folder/{program}": {"text": "no program"},
        f"first/{program}": {"text": "1", "mode": "x"},
        f"second/{program}": {"text": "2", "mode": "x"},
        "other": {"same": "folder/file"},
        "link": {"link": "folder/../folder"},
        "loop": {"link": "loop"},
        "pipe": {"pipe": True},
    }


class Everything:
    """Wants one flag, one variable and every first word."""

    def takes_value(self, flag: str) -> bool:
        """It does."""
        return flag == "--model"

    def flag(self, flag: str, value: str | None) -> Kept | None:
        """One."""
        return (flag, value) if flag == "--model" else None

    def variable(self, name: str, value: str) -> Kept | None:
        """One."""
        return (name, value) if name == "CLAUDE_X" else None

    def is_mode(self, word: str) -> bool:
        """Any."""
        return bool(word)


class LiveMachine:
    """One system's own module, over a home on this disk and the test's own processes."""

    def __init__(self, system: str, folder: Path) -> None:
        """Makes its files."""
        self._live = importlib.import_module(f"agent.platforms.{system}").live
        self.differs = DIFFERENCES[system]
        self.root, self.home = folder / "root", folder / "u"
        # No live registry is asked: a root moves files, and nothing else.
        self.policy, self.variables = None, dict[str, str]()
        self.root.mkdir()
        for name in _FOLDERS:
            (self.home / name).mkdir(parents=True)
        for name, entry in files_of(self.differs.program).items():
            _make(self.home, self.home / name, entry)

    def host(self, *roots: int) -> Host:
        """As `Machine.host`."""
        host: Host = self._live(
            home=self.home, system_root=self.root, environment=ENVIRONMENT, process_roots=roots
        )
        return host

    @contextmanager
    def waiting(self, *words: str, variables: Mapping[str, str]) -> Iterator[int]:
        """As `Machine.waiting`."""
        with waiting(self.home / "running" / "claude", *words, variables=variables) as process:
            yield process.pid

    @contextmanager
    def scripted(self, *words: str) -> Iterator[int]:
        """As `Machine.scripted`."""
        with runtime(self.home / "cli.js", *words) as process:
            yield process.pid


class RecordedMachine:
    """The same machine in memory, whose processes are written down."""

    def __init__(self, system: str) -> None:
        """Writes its files."""
        self._system = system
        self.differs = DIFFERENCES[system]
        self.home = self.differs.home
        self.policy = self.differs.policy
        self.variables = {name.upper(): text for name, text in self.differs.variables.items()}
        self._processes: list[Mapping[str, Any]] = []

    def host(self, *roots: int) -> Host:
        """As `Machine.host`."""
        files = {
            str(self.home / name): self._placed(entry)
            for name, entry in files_of(self.differs.program).items()
        }
        program = str(self.home / "running" / "claude")
        files |= {program: {"text": "a program", "mode": "x"}, "/memory": {"same": program}}
        return RecordedHost(
            {
                "origin": {"kind": "facts"},
                "host": {
                    "system": self._system,
                    "arch": "x64",
                    "home": str(self.home),
                    "shell": self.differs.login,
                },
                "files": files,
                "environment": ENVIRONMENT,
                "policies": {} if self.policy is None else {"machine": self.policy},
                "variables": {"user": self.differs.variables},
                "processes": [each for each in self._processes if each["pid"] in roots],
            }
        )

    @contextmanager
    def waiting(self, *words: str, variables: Mapping[str, str]) -> Iterator[int]:
        """As `Machine.waiting`."""
        program = str(self.home / "running" / "claude")
        arguments = [program, "-c", "echo ready; read _", "sh", *words]
        memory = {"memory": "/memory"} if self.differs.shows_memory else {}
        with self._running(program, arguments, variables=variables, **memory) as pid:
            yield pid

    @contextmanager
    def scripted(self, *words: str) -> Iterator[int]:
        """As `Machine.scripted`."""
        script = str(self.home / "cli.js")
        arguments = ["node", "-E", "-s", script, *words]
        with self._running("/n/node", arguments, variables={"A": "1"}, script=script) as pid:
            yield pid

    def _placed(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"same": str(self.home / entry["same"])} if "same" in entry else entry

    @contextmanager
    def _running(self, exe: str, arguments: Sequence[str], **more: object) -> Iterator[int]:
        pid = 41 + len(self._processes)
        told = {"pid": pid, "token": self.differs.recorded, "started": int(time.time())}
        process = {**told, "exe": exe, "arguments": arguments, **more}
        self._processes.append(process)
        try:
            yield pid
        finally:
            self._processes.remove(process)


def _make(home: Path, path: Path, entry: Mapping[str, Any]) -> None:
    if "link" in entry:
        path.symlink_to(entry["link"])
    elif "same" in entry:
        path.hardlink_to(home / entry["same"])
    elif "pipe" in entry:
        os.mkfifo(path)
    else:
        path.write_text(entry["text"], encoding="utf-8")
        path.chmod(0o755 if "mode" in entry else 0o644)
