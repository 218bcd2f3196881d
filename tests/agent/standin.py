"""Small programs that a test starts and ends: never Claude Code, and nothing else's processes."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started(program: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A copy of ``sleep`` under a name of its own, running until the block ends."""
    copied(program)
    with sleeping(program, *arguments) as process:
        yield process


@contextmanager
def sleeping(program: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Such a copy that exists, running until the block ends."""
    # Returns only when the program has been executed: the child is no copy of Python then.
    with subprocess.Popen([program, *(arguments or ("600",))]) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def runtime(
    script: Path, *arguments: str, program: str = sys.executable
) -> Iterator[subprocess.Popen[str]]:
    """A script runtime with options, a script that it waits in, and arguments of the script."""
    script.write_text("import time; print('ready', flush=True); time.sleep(600)", "utf-8")
    command = [program, "-E", "-s", str(script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def waiting(
    program: Path, *arguments: str, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A copy of a shell that takes any arguments and variables, running until the block ends.

    Its own option and script come first: ``-c`` and a sentence.
    """
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(shutil.which("sh") or "/bin/sh", program)
    command = [str(program), "-c", "echo ready; read _", "sh", *arguments]
    with subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


_STEP = 'echo $$; read _; next=$1; shift; exec "$next" -c "$STEP" sh "$@"'


@contextmanager
def executing(*programs: Path) -> Iterator[Callable[[], int]]:
    """One process that goes from program to program, copies of a shell, each of other bytes.

    Yields what takes the next step, the first one among them, and returns its number.
    """
    shell = shutil.which("sh") or "/bin/sh"
    for at, program in enumerate(programs):
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shell, program)
        program.write_bytes(program.read_bytes() + bytes(at))
    command = [str(programs[0]), "-c", _STEP, "sh", *map(str, programs[1:])]
    steps = iter(range(len(programs)))
    with subprocess.Popen(
        command,
        env={"STEP": _STEP},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def step() -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            if next(steps):
                process.stdin.write("\n")
                process.stdin.flush()
            return int(process.stdout.readline())

        try:
            yield step
        finally:
            process.kill()


@contextmanager
def parent() -> Iterator[tuple[int, int]]:
    """A shell and the program that it started, by their numbers."""
    command = ("sh", "-c", "sleep 600 & echo $!; wait")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        child = int(shell.stdout.readline())
        try:
            yield shell.pid, child
        finally:
            os.kill(child, signal.SIGKILL)
            shell.kill()


def copied(program: Path) -> Path:
    """A copy of ``sleep`` at a path; its folder is made."""
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    return program
