"""The service managers' own commands: one closed table, and nothing else is ever run here.

The words are those of systemctl(1), launchctl(1) and the reference of schtasks. Only a user who
types ``service`` or ``uninstall`` sets these off, never the daemon by itself.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

COMMAND_TIMEOUT_S = 60.0
"""Seconds that a manager may take for one command."""

SAID_MAX = 300
"""How much of what a manager says of a failure is kept, in characters."""

Deed = Literal["start", "stop", "forget", "ask"]
"""Begin the service from its file; end it; forget the removed file; ask whether it is known."""


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        argv: ``{name}``, ``{file}`` and ``{domain}`` stand in it for what they say.
        must: Whether the deed fails with it; else it undoes what may not be there.
    """

    argv: tuple[str, ...]
    must: bool = True


@dataclass(frozen=True)
class Done:
    """How a deed ended.

    Attributes:
        ok: All that had to be done is done.
        said: Why not, as the manager said it.
    """

    ok: bool
    said: str = ""


_USER = ("systemctl", "--user")
_STEPS: Mapping[tuple[str, Deed], tuple[Step, ...]] = {
    ("systemd", "start"): (
        Step((*_USER, "daemon-reload")),
        Step((*_USER, "enable", "{name}")),
        Step((*_USER, "restart", "{name}")),
    ),
    ("systemd", "stop"): (Step((*_USER, "disable", "--now", "{name}")),),
    ("systemd", "forget"): (
        Step((*_USER, "daemon-reload")),
        Step((*_USER, "reset-failed", "{name}"), must=False),
    ),
    ("systemd", "ask"): (Step((*_USER, "is-enabled", "--quiet", "{name}")),),
    ("launchd", "start"): (
        Step(("launchctl", "bootout", "{domain}/{name}"), must=False),
        Step(("launchctl", "enable", "{domain}/{name}")),
        Step(("launchctl", "bootstrap", "{domain}", "{file}")),
    ),
    ("launchd", "stop"): (Step(("launchctl", "bootout", "{domain}/{name}")),),
    ("launchd", "forget"): (),
    ("launchd", "ask"): (Step(("launchctl", "print", "{domain}/{name}")),),
    ("task_scheduler", "start"): (
        Step(("schtasks", "/End", "/TN", "{name}"), must=False),
        Step(("schtasks", "/Create", "/F", "/TN", "{name}", "/XML", "{file}")),
        Step(("schtasks", "/Run", "/TN", "{name}")),
    ),
    ("task_scheduler", "stop"): (
        Step(("schtasks", "/End", "/TN", "{name}"), must=False),
        Step(("schtasks", "/Delete", "/F", "/TN", "{name}")),
    ),
    ("task_scheduler", "forget"): (),
    ("task_scheduler", "ask"): (Step(("schtasks", "/Query", "/TN", "{name}")),),
}


def do(
    manager: str, deed: Deed, *, name: str, file: Path, environment: Mapping[str, str]
) -> Done | None:
    """Has a service manager do something with one service.

    Args:
        manager: Which, as in `agent.service.interface.Manager`.
        deed: What.
        name: What the manager calls the service.
        file: Where the service is written down.
        environment: The user's variables, by which the manager is found and reached.

    Returns:
        How it ended; None where this system has no such manager.
    """
    words = {"name": name, "file": str(file), "domain": f"gui/{_user_id()}"}
    for step in _STEPS[manager, deed]:
        program = shutil.which(step.argv[0], path=environment.get("PATH", ""))
        if program is None:
            return None
        arguments = [word.format_map(words) for word in step.argv[1:]]
        done = _ran([program, *arguments], environment)
        if step.must and not done.ok:
            return done
    return Done(ok=True)


def _ran(argv: list[str], environment: Mapping[str, str]) -> Done:
    try:
        ended = subprocess.run(  # noqa: S603 - of the table above, without a shell
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Done(ok=False, said=f"it took longer than {COMMAND_TIMEOUT_S:g} s")
    except OSError as error:
        return Done(ok=False, said=error.strerror or type(error).__name__)
    said = " ".join((ended.stderr or ended.stdout).split())[:SAID_MAX]
    return Done(ended.returncode == 0, said or f"it ended with {ended.returncode}")


def _user_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
