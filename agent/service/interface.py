"""A service: the daemon under the user's own service manager.

It belongs to one user, needs no administrator, and is one file of the manager's own kind:
begun when the user signs in, begun again when it failed, and at the lowest priority that the
manager offers. The file names the installed command by its absolute path, and carries only
the variables of `agent.service.launch`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Manager = Literal["systemd", "launchd", "task_scheduler"]
"""The service managers that are known."""

NAMES: Mapping[Manager, str] = {
    "systemd": "parity-agent.service",
    "launchd": "build-parity.agent",
    "task_scheduler": "Build Parity agent",
}
"""What each manager calls the service."""

RESTART_AFTER_S = 60
"""Seconds until a daemon that failed is begun again."""

END_WITHIN_S = 30
"""Seconds that a daemon which is told to end may take: a conversation with the server is
finished in them; one that takes longer is repeated by the next daemon."""

NICENESS = 10
"""How far the daemon steps back behind other programs (nice(2))."""


@dataclass(frozen=True)
class Unit:
    """What is written down for a service manager.

    Attributes:
        manager: Whose.
        file: Where the manager looks for it, or where it is kept for the manager.
        body: Its bytes.
        folders: Folders that must be there before the daemon begins.
        beside: Further files, for their owner alone; removed with the service.
        link: Leads to `file`, and has the manager begin the service at sign-in; None where the
            file alone does.
        logs: Files that the daemon writes for the service's sake; removed with it.
    """

    manager: Manager
    file: Path
    body: bytes
    folders: tuple[Path, ...] = ()
    beside: Mapping[Path, bytes] = field(default_factory=dict)
    link: Path | None = None
    logs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Installed:
    """What an installation came to.

    Attributes:
        file: What was written.
        is_running: Whether the manager has begun it.
        reason: Why it has not; empty when it has.
        advice: What a person has to do then.
    """

    file: Path
    is_running: bool
    reason: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Status:
    """How the service stands.

    Attributes:
        manager: Whose it is.
        file: Where it is written down, or would be.
        is_installed: It is written down.
        is_current: It is written down as it would be written now; False also where it is not.
        is_known: The manager has it; None where the manager does not answer.
    """

    manager: Manager
    file: Path
    is_installed: bool
    is_current: bool
    is_known: bool | None


class Service(Protocol):
    """The daemon as one user's service."""

    def install(self) -> Installed:
        """Writes it down and begins it, in place of an earlier one.

        Raises:
            AgentError: It cannot be written.
        """
        ...

    def uninstall(self) -> bool:
        """Ends it and removes what was written.

        Returns:
            Whether there was one.

        Raises:
            AgentError: Something of it cannot be removed.
        """
        ...

    def status(self) -> Status:
        """How it stands; changes nothing.

        Raises:
            AgentError: What was written cannot be read.
        """
        ...
