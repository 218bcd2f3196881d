"""The machine that `install/try` looks at: this user's own, or a scratch one.

A scratch machine has a home with one release in it and an empty system root, so that
nothing else of this machine is looked at. It gets few variables: those of the shell in
which the script was typed would be shown as its own.
"""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from install.kit.commands import run
from install.kit.place import Place
from install.kit.server import Server

SETTLE_S = 60
"""Seconds to wait for look-ups that the verdict depends on."""

_PLAIN = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "NO_COLOR", "TZ", "TMPDIR")


@dataclass(frozen=True)
class Laptop:
    """One machine as the agent sees it.

    Attributes:
        label: Its name at the server.
        folder: What is kept of it, the agent's own state among it.
        variables: The agent's environment.
        agent: The agent's command.
    """

    label: str
    folder: Path
    variables: dict[str, str]
    agent: Path

    def enrol(self, server: Server) -> None:
        """Enrols the machine, unless it is enrolled at this address already.

        Raises:
            KitError: It was refused.
        """
        known = _read(self.folder / "enrolled-at")
        if known == server.url:
            return
        if known:
            server.forget(self.label)  # enrolled at a port that another program has taken
        named = ["--label", self.label]
        secret = ["--secret-file", str(server.secret)]
        run(
            [self.agent, "enrol", "--server", server.url, *named, *secret],
            what=f"enrol {self.label}",
            timeout_s=60,
            environment=self.variables,
        )
        (self.folder / "enrolled-at").write_text(server.url, encoding="utf-8")

    def check(self) -> int:
        """Makes one full look and check-in; the verdict is printed by the agent.

        Returns:
            The agent's exit code, which tells the verdict.
        """
        argv = [str(self.agent), "check", "--wait", str(SETTLE_S)]
        return subprocess.run(argv, env=self.variables, check=False).returncode


def own(place: Place, commands: Path) -> Laptop:
    """This user on this machine, with the shell's own variables."""
    label = socket.gethostname().partition(".")[0] or "this-machine"
    variables = dict(os.environ)
    variables.pop("PARITY_AGENT_ENROL_SECRET", None)
    return _laptop(place, commands, label, variables)


def scratch(place: Place, commands: Path, number: str) -> Laptop:
    """The machine that has nothing but one release of Claude Code."""
    place.root.mkdir(exist_ok=True)
    variables = {name: os.environ[name] for name in _PLAIN if name in os.environ}
    variables |= {
        "HOME": str(place.home(number)),
        "SHELL": "/bin/bash",
        "PARITY_AGENT_SYSTEM_ROOT": str(place.root),
        "PARITY_AGENT_NOTIFY_DESKTOP": "false",
    }
    return _laptop(place, commands, f"try-{number}", variables)


def _laptop(place: Place, commands: Path, label: str, variables: dict[str, str]) -> Laptop:
    folder = place.machine(label)
    folder.mkdir(parents=True, exist_ok=True)
    variables |= {"PARITY_AGENT_STATE_DIR": str(folder / "agent")}
    return Laptop(label, folder, variables, commands / "parity-agent")


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
