"""Shared real parts: the registry behind a switch, one server, scratch laptops."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ClaudePackage, missing
from tests.e2e.harness import Laptop, Server
from tests.e2e.registry import Registry, upstream

ROOT = Path(__file__).resolve().parents[2]

NewLaptop = Callable[..., Laptop]


@pytest.fixture(scope="session")
def real_registry() -> str:
    """The address of the npm registry that npm is set to use."""
    found = upstream()
    if found is None:
        missing("npm is not installed: it names the registry of real Claude Code packages")
    return str(found)


@pytest.fixture
def registry(real_registry: str) -> Iterator[Registry]:
    """The npm registry on loopback, with a switch."""
    with Registry(real_registry) as served:
        yield served


@pytest.fixture
def server(tmp_path: Path, registry: Registry) -> Iterator[Server]:
    """A server that reads the registry every second."""
    with Server(
        tmp_path / "server", npm_registry_url=registry.url, heads_every_s=1
    ).start() as running:
        yield running


@pytest.fixture
def new_laptop(
    tmp_path: Path, claude_package: ClaudePackage, home_with: Callable[..., Path]
) -> Iterator[NewLaptop]:
    """``new_laptop(version, label="scratch", scripts=True)``: a laptop with that release."""
    made: list[Laptop] = []

    def new(version: str, *, label: str = "scratch", scripts: bool = True) -> Laptop:
        laptop = Laptop(tmp_path / label, label=label)
        home_with(laptop.home, claude_package(version, scripts=scripts))
        made.append(laptop)
        return laptop

    yield new
    for laptop in made:
        if laptop.daemon is not None:
            laptop.stop()


@pytest.fixture(scope="session")
def head(real_registry: str) -> str:
    """What npm calls latest today."""
    with Registry(real_registry) as served:
        return served.head()


@pytest.fixture(scope="session")
def strace() -> str:
    """The path of strace."""
    found = shutil.which("strace")
    if found is None:
        missing("strace is not installed: apt-get install strace")
    return str(found)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of this checkout, as a new user has it."""
    folder = tmp_path_factory.mktemp("clone") / "build-parity"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    return folder
