"""Homes into which pnpm, bun and yarn themselves installed a real package."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from tests.linked import laid

PACKAGE = "@anthropic-ai/claude-code"
TOOL_TIMEOUT_S = 600
COMMANDS = {
    "pnpm@10": ["pnpm", "add", "--global"],
    "bun@1.4": ["bun", "add", "--global"],
    "yarn@1": ["yarn", "global", "add", "--prefix", "{home}/.yarn"],
}
"""How each tool installs a package globally."""

GlobalHome = Callable[[str, str, Path], Path]


@pytest.fixture(scope="session")
def global_home(claude_package: Callable[..., Path]) -> GlobalHome:
    """``global_home("bun@1.4", "2.1.330", home)``: what that tool makes of that release.

    Each is made once, in the tests' cache folder, and laid into a scratch home by hard links.
    """
    # Ends the test as it must where there is no npm, or no registry.
    claude_package("2.1.330")

    def lay(tool: str, version: str, home: Path) -> Path:
        cache = platformdirs.user_cache_path("build-parity") / "tests" / "global"
        made = cache / f"{tool}-{version}"
        if not made.is_dir():
            _make(tool, version, made)
        return laid(made, home)

    return lay


def _make(tool: str, version: str, made: Path) -> None:
    fresh = made.with_name(f"{made.name}.{os.getpid()}.new")
    prefix = made.parent / tool
    home = {"HOME": str(fresh), "PNPM_HOME": str(fresh / ".local/share/pnpm")}
    # yarn gives the superuser one home for all; this tells it that there is none.
    environment = _environment() | home | {"FAKEROOTKEY": "1"}
    path = f"{prefix}/bin:{fresh}/.local/share/pnpm:{environment['PATH']}"
    fresh.mkdir(parents=True)
    if not prefix.is_dir():
        name = tool.partition("@")[0]
        options = [f"--prefix={prefix}", "--no-audit", "--no-fund", f"--allow-scripts={name}"]
        _run(["npm", "install", "--global", *options, tool], environment)
    command = [word.format(home=fresh) for word in COMMANDS[tool]]
    try:
        _run([*command, f"{PACKAGE}@{version}"], environment | {"PATH": path})
    except BaseException:
        # Half an installation is hundreds of megabytes that nobody would look for.
        shutil.rmtree(fresh)
        raise
    for store in (".cache", ".bun/install/cache"):
        shutil.rmtree(fresh / store, ignore_errors=True)
    fresh.rename(made)


def _environment() -> dict[str, str]:
    npm = ["npm", "config", "get", "registry"]
    asked = subprocess.run(npm, capture_output=True, text=True, check=True, timeout=TOOL_TIMEOUT_S)
    kept = {
        name: os.environ[name] for name in ("PATH", "NODE_EXTRA_CA_CERTS") if name in os.environ
    }
    return kept | {"npm_config_registry": asked.stdout.strip()}


def _run(command: list[str], environment: dict[str, str]) -> None:
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    done = subprocess.run(
        [program, *command[1:]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TOOL_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr[-600:]
