"""The service managers' own commands: one closed table, and nothing else is ever run here.

The words are those of systemctl(1), launchctl(1) and the reference of schtasks. Only a user who
types ``service`` or ``uninstall`` sets these off, never the daemon by itself.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

COMMAND_TIMEOUT_S = 60.0
"""Seconds that a manager may take for one command."""

SAID_MAX = 300
"""How much of what a manager says of a failure is kept, in characters."""

AGAIN_AFTER_S = 1.0
"""Seconds until a manager that is busy with the service's end is asked once more."""

AGAIN_MAX = 40
"""How often it is asked once more: a daemon may take half a minute to end."""

Deed = Literal["start", "stop", "forget", "ask"]
"""Begin the service from its file; end it; forget the removed file; ask whether it is known."""


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        argv: ``{name}``, ``{file}`` and ``{domain}`` stand in it for what they say.
        must: Whether the deed fails with it; else it undoes what may not be there.
        busy: The exit codes by which a manager says that it is still ending the service, as
            far as one can tell.
    """

    argv: tuple[str, ...]
    must: bool = True
    busy: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Done:
    """How a deed ended.

    Attributes:
        ok: All that had to be done is done.
        said: Why not, as the manager said it.
        code: The exit code of the last command; None where it had none.
    """

    ok: bool
    said: str = ""
    code: int | None = None


_USER = ("systemctl", "--user")
# launchctl ends with the system's own error numbers (errno(2) of macOS): EINPROGRESS; EIO, which
# bootstrap is reported to say right after bootout and for other causes too, and EALREADY.
_ENDING = frozenset({36})
_NOT_GONE = frozenset({5, 37})
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
        Step(("launchctl", "bootout", "{domain}/{name}"), must=False, busy=_ENDING),
        Step(("launchctl", "enable", "{domain}/{name}")),
        Step(("launchctl", "bootstrap", "{domain}", "{file}"), busy=_NOT_GONE),
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


def goes_again(step: Step, done: Done, tries: int, *, ended: bool) -> bool:
    """Whether a command that has to succeed is to be tried once more. Pure.

    Args:
        step: The command.
        done: How it ended now.
        tries: How often it was tried.
        ended: Whether an earlier command ended the service, which may be about to go only now.
    """
    return step.must and ended and done.code in step.busy and tries <= AGAIN_MAX


def do(
    manager: str,
    deed: Deed,
    *,
    name: str,
    file: Path,
    environment: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> Done | None:
    """Has a service manager do something with one service.

    Args:
        manager: Which, as in `agent.service.interface.Manager`.
        deed: What.
        name: What the manager calls the service.
        file: Where the service is written down.
        environment: The user's variables, by which the manager is found and reached.
        sleep: Waits so many seconds, while the manager is busy.

    Returns:
        How it ended; None where this system has no such manager.
    """
    words = {"name": name, "file": str(file), "domain": f"gui/{_user_id()}"}
    ended = False
    for step in _STEPS[manager, deed]:
        program = shutil.which(step.argv[0], path=environment.get("PATH", ""))
        if program is None:
            return None
        arguments = [word.format_map(words) for word in step.argv[1:]]
        done, tries = _ran([program, *arguments], environment), 1
        while goes_again(step, done, tries, ended=ended):
            sleep(AGAIN_AFTER_S)
            done, tries = _ran([program, *arguments], environment), tries + 1
        if step.must and not done.ok:
            return done
        ended = ended or (not step.must and (done.ok or done.code in step.busy))
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
    code = ended.returncode
    return Done(code == 0, said or f"it ended with {code}", code)


def _user_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
