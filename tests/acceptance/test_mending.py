"""From drift to match by the command that the verdict names: real npm, real releases."""

import os

import pytest

from tests.acceptance.conftest import NewLaptop
from tests.e2e.harness import Laptop, Server, tree
from tests.e2e.registry import Registry

pytestmark = pytest.mark.real

BEFORE, HEAD = "2.1.329", "2.1.330"


@pytest.fixture
def behind(server: Server, registry: Registry, new_laptop: NewLaptop, real_registry: str) -> Laptop:
    """A checked laptop one release behind, whose npm installs into its own home."""
    registry.tags["latest"] = HEAD
    laptop = new_laptop(BEFORE, label="one-behind").enrol(server)
    npmrc = (
        f"prefix={laptop.home}/.npm-global\nregistry={real_registry}/\naudit=false\nfund=false\n"
    )
    (laptop.home / ".npmrc").write_text(npmrc, encoding="utf-8")
    # What reaching the registry may take here, for Node as for everything else.
    if "NODE_EXTRA_CA_CERTS" in os.environ:
        laptop.variables["NODE_EXTRA_CA_CERTS"] = os.environ["NODE_EXTRA_CA_CERTS"]
    # A scratch machine's processes are its own children: there are none.
    laptop.settings["process_roots"] = str(os.getpid())
    assert [each["code"] for each in laptop.check_json()["machine"]["findings"]] == ["build-behind"]
    return laptop


def test_the_command_that_is_named_mends_it(behind: Laptop, server: Server) -> None:
    """Printed, nothing changes; applied, npm runs it, and the next check matches."""
    package = behind.home / ".npm-global"
    before = tree(package)
    printed = behind.run("fix")
    assert f"npm install -g @anthropic-ai/claude-code@{HEAD}" in printed.stdout
    assert tree(package) == before

    done = behind.run("fix", "build-behind", "--apply", "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ended with exit code 0" in done.stdout
    checked = behind.check()
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert server.machine("one-behind")["standing"] == "match"
    assert "nothing is to be mended" in behind.run("fix").stdout
