"""Which program files are known to be Claude Code's."""

from pathlib import PurePosixPath

from agent import programs, wire
from agent.discover.census import LocalInstall
from agent.host import Host, Image
from agent.testing import recorded

TREE = """
origin = {kind = "facts"}
host = {system = "linux", arch = "x64", home = "/home/u", shell = "bash"}
[files]
"/opt/claude" = {text = "one", mode = "x"}
"/opt/again" = {same = "/opt/claude"}
"/opt/manager" = {text = "two", mode = "x"}
"""
CLAUDE = PurePosixPath("/opt/claude")
MANAGER = PurePosixPath("/opt/manager")


def host() -> Host:
    """A machine with two programs, one of them under two names."""
    return recorded(TREE)


def install(method: str, program: PurePosixPath, version: str | None = None) -> LocalInstall:
    """A known install; its bytes say a version, or nothing."""
    build = wire.Build("ab" * 32, 3, "binary", version=version)
    return LocalInstall(wire.Install(method, "global", build=build), program)


def test_an_installs_file_has_its_method_under_any_name() -> None:
    """By path, by the file itself, and by the file in memory."""
    known = programs.of(host(), [install("npm", CLAUDE)])
    again = PurePosixPath("/opt/again")
    assert known.method(host(), CLAUDE, None) == "npm"
    assert known.method(host(), again, None) == "npm"
    assert known.method(host(), PurePosixPath("/gone"), again) == "npm"
    assert known.method(host(), MANAGER, None) is None
    assert known.method(host(), PurePosixPath("/gone"), None) is None


def test_a_launcher_whose_bytes_say_nothing_is_none() -> None:
    """It may start many programs; one that says its version is Claude Code."""
    for version, method in ((None, None), ("2.1.330", "other")):
        known = programs.of(host(), [install("other", MANAGER, version)])
        assert known.method(host(), MANAGER, None) == method


def test_a_place_of_a_method_needs_no_install() -> None:
    """Also when its file is gone."""
    place = PurePosixPath("/u/.local/share/claude/versions/2.1.330")
    assert programs.Programs().has(host(), Image(place, None, 0))
    assert not programs.Programs().has(host(), Image(CLAUDE, None, 0))
