"""One server for all commands of laptops, and laptops that have one setting."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.commands.fleet import Fleet
from tests.e2e.harness import Laptop
from tests.server.live import Live


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A running server; each test names its laptops after itself."""
    folder: Path = tmp_path_factory.mktemp("fleet") / "data"
    live = Live(folder).start()
    try:
        secret = folder.with_name("secret")
        secret.write_text(live.printed("enrolment-secret", "create"), encoding="utf-8")
        secret.chmod(0o600)
        yield Fleet(live, secret, live.printed("token", "create", "tests"))
    finally:
        code = live.stop()
    assert code == 0


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """A scratch laptop that is not enrolled; its daemon ends with the test."""
    with Laptop(tmp_path / "laptop") as made:
        made.claude_settings(effortLevel="low")
        yield made


@pytest.fixture
def enrolled(fleet: Fleet, laptop: Laptop) -> Callable[[str], Laptop]:
    """``enrolled(label)``: the laptop, known to the server by that name."""

    def enrol(label: str) -> Laptop:
        done = laptop.run(*fleet.enrolling, "--label", label)
        assert done.returncode == 0, done.stderr
        return laptop

    return enrol
