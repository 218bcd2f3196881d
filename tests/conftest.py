"""Real Claude Code packages for all tests, and the rule for what cannot be had.

A package is installed once by the machine's own npm or pip into the user's cache folder, and laid
into scratch homes by hard links: never into the user's home, and nothing of it is executed
but the package's own install script, which links the program into its place.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from tests.linked import laid

PACKAGE = "@anthropic-ai/claude-code"
PACKAGE_IN_PREFIX = Path("lib/node_modules") / PACKAGE
NPM_TIMEOUT_S = 600

ClaudePackage = Callable[..., Path]


_PACKAGES = frozenset(
    {
        "claude_package",
        "platform_program",
        "node_sdk",
        "python_sdk",
        "uv_environment",
        "global_home",
    }
    | {"clone", "checkout"}
)


@pytest.hookimpl(tryfirst=True)  # a worker then writes each group into its tests' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets one worker run all tests of real packages.

    Their programs are shared by hard links: a link made for one test is a change of the file
    for another, and a package is fetched once. Those of a checkout share its usual port.
    """
    for item in items:
        if _PACKAGES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("packages"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Looks that the groups hold where tests are shared out by them."""
    if not session.config.getoption("loadgroup", default=False):
        return
    for item in session.items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
            raise RuntimeError("this pytest-xdist does not group tests for this pytest")


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
    asked = f"--allow-scripts={PACKAGE}" if scripts else "--ignore-scripts"
    _npm(f"{PACKAGE}@{version}", prefix, asked)


def _npm(package: str, prefix: Path, *options: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed: it is needed for real Claude Code packages")
        return
    command = [npm, "install", "--global", "--no-audit", "--no-fund", *options, package]
    _fill(prefix, command)


def _fill(prefix: Path, command: list[str]) -> None:
    """Lets a package manager make a prefix, which is there whole or not at all."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    fresh = prefix.with_name(f"{prefix.name}.{os.getpid()}.new")
    done = subprocess.run(
        [*command, f"--prefix={fresh}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=NPM_TIMEOUT_S,
    )
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        missing(f"this could not be installed: {command[-1]}: {done.stderr[-300:]}")
    shutil.rmtree(prefix, ignore_errors=True)
    fresh.rename(prefix)


@pytest.fixture(scope="session")
def platform_program() -> Callable[[str, str], Path]:
    """``platform_program(version, platform)``: the program that npm gives a platform's laptops."""

    def program(version: str, platform: str) -> Path:
        package = f"{PACKAGE}-{platform}"
        cache = platformdirs.user_cache_path("build-parity") / "tests" / "npm"
        prefix = cache / f"{version}-{platform}"
        if not prefix.is_dir():
            # npm refuses another system's package unless it is told.
            _npm(f"{package}@{version}", prefix, "--force", "--ignore-scripts")
        name = "claude.exe" if platform.startswith("win32") else "claude"
        return prefix / "lib/node_modules" / package / name

    return program


@pytest.fixture(scope="session")
def node_sdk() -> Callable[[str], Path]:
    """``node_sdk(version)``: an npm prefix with that release of the Agent SDK in it."""

    def package(version: str) -> Path:
        prefix = platformdirs.user_cache_path("build-parity") / "tests" / "npm" / f"sdk-{version}"
        if not prefix.is_dir():
            # What a program of a user's own would bring beside it is not needed.
            options = ("--legacy-peer-deps", "--ignore-scripts")
            _npm(f"@anthropic-ai/claude-agent-sdk@{version}", prefix, *options)
        return prefix

    return package


@pytest.fixture(scope="session")
def python_sdk() -> Callable[[str], Path]:
    """``python_sdk(version)``: a Python environment's folder with that Agent SDK in it."""

    def package(version: str) -> Path:
        prefix = platformdirs.user_cache_path("build-parity") / "tests" / "pip" / f"sdk-{version}"
        if not prefix.is_dir():
            pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-compile"]
            _fill(prefix, [*pip, "--only-binary=:all:", f"claude-agent-sdk=={version}"])
        return prefix

    return package


@pytest.fixture(scope="session")
def uv_environment() -> Callable[[str, Path], Path]:
    """``uv_environment(version, folder)``: what uv makes of that Agent SDK in a folder."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv is not None
    cache = platformdirs.user_cache_path("build-parity") / "tests" / "uv"
    environment = os.environ | {"UV_CACHE_DIR": str(cache)}

    def make(version: str, folder: Path) -> Path:
        wanted = f"claude-agent-sdk=={version}"
        for words in (
            ("venv", "--no-config", "--python", sys.executable, folder),
            ("pip", "install", "--no-config", "--no-deps", "--python", folder, wanted),
        ):
            done = subprocess.run(
                [uv, *words],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=NPM_TIMEOUT_S,
            )
            if done.returncode != 0:
                missing(f"uv could not install {wanted}: {done.stderr[-300:]}")
        return folder

    return make


@pytest.fixture(scope="session")
def home_with() -> Callable[..., Path]:
    """``home_with(home, prefix, name=".npm-global")``: a prefix laid into a scratch home.

    Its shell has the prefix on PATH; the package's folder in the home is returned.
    """

    def lay(home: Path, prefix: Path, *, name: str = ".npm-global") -> Path:
        home.mkdir(parents=True, exist_ok=True)
        laid(prefix, home / name)
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
