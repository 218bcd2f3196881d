"""`install/test`: all checks and tests in an environment of their own.

One line a step; a step that fails shows all that it said, and the others still run. What is
not named here goes to pytest. With ``CI=true`` a skipped test fails the run
(`tests/ci_plugin.py`), so the system packages that tests need are installed there first.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from install.kit.commands import KitError, run
from install.kit.environment import ROOT, make
from install.kit.progress import Progress

USAGE = """usage: install/test [--system] [PYTEST ARGUMENTS]

Runs every check and test. Makes its environment in .test/ first.

  --system   install missing system packages (as root); CI=true does so too
"""

_PACKAGES: Mapping[str, Mapping[str, str]] = {
    "linux": {"git": "git", "nginx": "nginx", "npm": "npm", "strace": "strace", "wrk": "wrk"},
    "darwin": {"git": "git", "npm": "node"},
}
"""By system: the program that tests start, and the package that brings it."""

_WHOLE_RUN = ("-n", "2", "--dist", "loadgroup", "--tb", "short")
"""Two processes, each failure in a few lines; who asks for some tests may want a debugger."""


def main(arguments: list[str]) -> int:
    """Runs all steps; the exit code is 0 if every one passed, else 1."""
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    is_ci = os.environ.get("CI") == "true"
    wants_system = is_ci or "--system" in arguments
    extra = [each for each in arguments if each != "--system"]
    progress = Progress(tell_all=True)
    try:
        _system_packages(progress, may_install=wants_system)
        commands = make(ROOT / ".test" / "venv", "agent,server,test", progress, editable=True)
    except KitError as error:
        sys.stderr.write(f"{error.output}{error}\n")
        return 1
    plugin = ["-p", "tests.ci_plugin"] if is_ci else []
    steps = {
        "ruff format": ["ruff", "format", "--check", "."],
        "ruff check": ["ruff", "check", "."],
        "mypy": ["mypy"],
        "import contracts": ["lint-imports"],
        "pytest": ["python", "-m", "pytest", "-q", *plugin, *(extra or _WHOLE_RUN)],
    }
    passed = [_passes(commands, name, argv, progress) for name, argv in steps.items()]
    return 0 if all(passed) else 1


def _passes(commands: Path, name: str, argv: list[str], progress: Progress) -> bool:
    environment = os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    try:
        with progress.step(name):
            done = subprocess.run(
                [commands / argv[0], *argv[1:]],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=True,
            )
    except subprocess.CalledProcessError as failed:
        sys.stdout.buffer.write(failed.stdout)
        sys.stdout.flush()
        return False
    if name == "pytest":
        _tell_summary(done.stdout.decode(errors="replace"))
    return True


def _tell_summary(output: str) -> None:
    skipped = [line for line in output.splitlines() if line.startswith("SKIPPED")]
    sys.stdout.write("\n".join([*skipped, output.splitlines()[-1]]) + "\n")


def _system_packages(progress: Progress, *, may_install: bool) -> None:
    wanted = _PACKAGES.get(sys.platform, {})
    missing = sorted({package for name, package in wanted.items() if not shutil.which(name)})
    if not missing:
        return
    command = _install_command(missing)
    if may_install and command[0] == "apt-get" and os.geteuid() == 0:
        with progress.step(f"installing {', '.join(missing)}"):
            run(["apt-get", "update"], what="read the package lists", timeout_s=300)
            run(command, what="install system packages", timeout_s=900)
        return
    prefix = "sudo " if command[0] == "apt-get" and os.geteuid() else ""
    sys.stderr.write(
        f"some tests need {', '.join(missing)}: {prefix}{shlex.join(command)}"
        " (install/test --system does it as root)\n"
    )


def _install_command(packages: list[str]) -> list[str]:
    if sys.platform == "darwin":
        return ["brew", "install", *packages]
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
