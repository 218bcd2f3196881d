"""Commands that are run for their effect, and what is said when one fails."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class KitError(Exception):
    """Something outside stands in the way: one line, and what to do.

    Attributes:
        output: What the failed command said, whole; empty where there was none.
    """

    def __init__(self, message: str, *, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    timeout_s: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Runs a command that asks nothing, and returns its standard output.

    Args:
        argv: The command.
        what: What it was to do, for the message: "make the environment".
        timeout_s: Seconds that it may take.
        cwd: The folder to run in.
        environment: Its variables; this process's own when None.

    Raises:
        KitError: It could not be started, failed, or took too long.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            cwd=cwd,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise KitError(f"could not {what}: {argv[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise KitError(f"could not {what}: it took longer than {timeout_s:.0f} s") from error
    if done.returncode:
        raise KitError(
            f"could not {what}: {Path(argv[0]).name} ended with {done.returncode}",
            output=done.stdout + done.stderr,
        )
    return done.stdout
