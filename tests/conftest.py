"""Real Claude Code packages for all tests, and the rule for what cannot be had.

A package is installed once by the machine's own npm into the user's cache folder, and laid
into scratch homes by hard links: never into the user's home, and nothing of it is executed
but the package's own install script, which links the program into its place.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

PACKAGE = "@anthropic-ai/claude-code"
PACKAGE_IN_PREFIX = Path("lib/node_modules") / PACKAGE
NPM_TIMEOUT_S = 600

ClaudePackage = Callable[..., Path]


def missing(reason: str) -> None:
    """End a test that lacks a real part: skipped on a laptop, failed with ``CI=true``."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def claude_package() -> ClaudePackage:
    """``claude_package(version, scripts=True)``: an npm prefix with that release in it."""

    def package(version: str, *, scripts: bool = True) -> Path:
        name = f"{version}-{'filled' if scripts else 'stub'}"
        prefix = platformdirs.user_cache_path("build-parity") / "tests" / "npm" / name
        if not (prefix / PACKAGE_IN_PREFIX / "package.json").is_file():
            _install(version, prefix, scripts=scripts)
        return prefix

    return package


def _install(version: str, prefix: Path, *, scripts: bool) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed: it is needed for real Claude Code packages")
        return
    prefix.parent.mkdir(parents=True, exist_ok=True)
    fresh = prefix.with_name(f"{prefix.name}.{os.getpid()}.new")
    asked = f"--allow-scripts={PACKAGE}" if scripts else "--ignore-scripts"
    command = [npm, "install", "--global", f"--prefix={fresh}", "--no-audit", "--no-fund", asked]
    done = subprocess.run(
        [*command, f"{PACKAGE}@{version}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=NPM_TIMEOUT_S,
    )
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        missing(f"npm could not install {PACKAGE}@{version}: {done.stderr[-300:]}")
    shutil.rmtree(prefix, ignore_errors=True)
    fresh.rename(prefix)


@pytest.fixture(scope="session")
def home_with() -> Callable[..., Path]:
    """``home_with(home, prefix, name=".npm-global")``: a prefix laid into a scratch home.

    Its shell has the prefix on PATH; the package's folder in the home is returned.
    """

    def lay(home: Path, prefix: Path, *, name: str = ".npm-global") -> Path:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copytree(prefix, home / name, symlinks=True, copy_function=_link)
        with (home / ".profile").open("a", encoding="utf-8") as profile:
            profile.write(f'export PATH="$HOME/{name}/bin:$PATH"\n')
        return home / name / PACKAGE_IN_PREFIX

    return lay


@pytest.fixture(scope="session")
def alone() -> Callable[[Path], Path]:
    """``alone(path)``: gives a file bytes of its own, so that no other name sees a change."""

    def separate(path: Path) -> Path:
        copy = path.with_name(f"{path.name}.alone")
        shutil.copy2(path, copy)
        copy.replace(path)
        return path

    return separate


def _link(original: str, copy: str) -> None:
    # Hard links: a program of hundreds of megabytes is not copied for each test.
    try:
        os.link(original, copy, follow_symlinks=False)
    except OSError:
        shutil.copy2(original, copy, follow_symlinks=False)
