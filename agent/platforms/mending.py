"""Running one command of the closed table, for a person who asked for it.

What runs is chosen by a `FixRef` and rendered here, so no caller can hand over other words. It
is started without a shell, in the user's own environment and with the user's own rights: there
is no way to more. Its output goes where the agent's own goes.
"""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from agent import fix as table
from agent.errors import AgentError
from agent.host import Host
from agent.wire import FixRef


def argv_of(host: Host, fix: FixRef) -> tuple[str, ...]:
    """What `run_fix` starts: the command's words, its program by its absolute path.

    Args:
        host: Whose PATH is asked; relative folders in it do not count.
        fix: What to do.

    Raises:
        AgentError: It is nothing that can be run, or the program is not there.
    """
    command = table.render(fix)
    if command is None or command.argv is None:
        raise AgentError("this cannot be run", advice="do by hand what parity-agent fix says")
    program, *words = command.argv
    folders = map(Path, host.environment.get("PATH", "").split(os.pathsep))
    entries = tuple(each for each in folders if each.is_absolute())
    for found in host.walk_path(entries, program):
        return (str(found), *words)
    raise AgentError(
        f"there is no {program} on your PATH",
        advice=f"type the command where {program} is found: {command.text}",
    )


def run_fix(host: Host, fix: FixRef, *, timeout_s: float) -> int:
    """Runs a fix's command to its end.

    Args:
        host: Whose environment it gets.
        fix: What to do.
        timeout_s: Seconds that it may take; then it is ended with all that it started.

    Returns:
        Its exit code; negative is the signal that ended it.

    Raises:
        AgentError: It cannot be run or started, or took too long.
    """
    argv = argv_of(host, fix)
    try:
        # The words are the closed table's own: a version or nothing of the server's is in them.
        process = subprocess.Popen(argv, env=dict(host.environment))  # noqa: S603 - see above
    except OSError as error:
        raise AgentError(
            f"{argv[0]} could not be started: {error.strerror}", advice="see whether it is sound"
        ) from error
    with process:
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _end(process.pid)
            raise AgentError(
                f"{argv[0]} was ended after {timeout_s:g} s",
                advice="see what it waits for, or raise fix_timeout_s",
            ) from None


def _end(pid: int) -> None:
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        for each in (*first.children(recursive=True), first):
            with suppress(psutil.Error):
                each.kill()
