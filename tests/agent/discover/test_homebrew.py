"""Homebrew's casks: which one, which version, and what its link starts."""

from collections.abc import Callable
from pathlib import PurePath

import pytest

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "linux-x64", "version": "2.1.330"}}


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


def test_the_cask_is_the_place_and_its_link_counts(golden: Golden, take: Take) -> None:
    """The other cask's leftover is at rest; Homebrew's own notes are no copy."""
    found = take(golden("homebrew/darwin"))
    assert _told(found) == [
        ("homebrew", "claude-code@latest", "2.1.330", "ok", True),
        ("homebrew", "claude-code", "2.1.320", "ok", False),
    ]
    assert found.installs[0].names == (PurePath("/opt/homebrew/bin/claude"),)
    assert found.problems == ()


def test_homebrew_on_linux_has_the_same_casks(golden: Golden, take: Take) -> None:
    """Its prefix is the linuxbrew user's."""
    found = take(golden("homebrew/linux"))
    assert _told(found) == [("homebrew", "claude-code", "2.1.320", "ok", True)]


@pytest.mark.parametrize(
    "rc",
    [
        "export HOMEBREW_PREFIX=/home/u/brew; PATH=/home/u/brew/bin:$PATH",
        "PATH=~/brew/bin:$PATH",
    ],
)
def test_a_prefix_of_the_users_own_is_found(tree: Tree, take: Take, rc: str) -> None:
    """By its variable, or by what PATH starts out of it."""
    program = "/home/u/brew/Caskroom/claude-code/2.1.330/claude"
    files = {
        "/home/u/.bashrc": rc,
        program: PROGRAM,
        "/home/u/brew/bin/claude": {"link": program},
    }
    found = take(tree(files))
    assert _told(found) == [("homebrew", "claude-code", "2.1.330", "ok", True)]


def test_homebrews_npm_package_is_npms(tree: Tree, take: Take) -> None:
    """A package of Homebrew's Node.js lies under the same prefix, and is no cask."""
    package = "/opt/homebrew/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"
    found = take(tree({package: PROGRAM}, system="darwin"))
    assert _told(found) == [("npm", "global", None, "ok", False)]


def test_a_folder_of_another_name_claims_no_version(tree: Tree, take: Take) -> None:
    """Nothing but a version's number is told of a folder's name."""
    files = {"/opt/homebrew/Caskroom/claude-code/canary-secret/claude": PROGRAM}
    found = take(tree(files))
    assert _told(found) == [("homebrew", "claude-code", None, "ok", False)]


def test_a_cask_that_may_not_be_read_is_a_problem(tree: Tree, take: Take) -> None:
    """The reason is told without the folder's path."""
    cask = "/opt/homebrew/Caskroom/claude-code"
    found = take(tree({cask: {"folder": True, "unreadable": True}}))
    assert [(each.collector, each.reason) for each in found.problems] == [
        ("homebrew", "a cask's folder: it may not be read")
    ]
