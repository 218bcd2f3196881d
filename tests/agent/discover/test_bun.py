"""bun's global package on recorded trees; the real tool is in node/test_installed.py."""

from collections.abc import Callable
from pathlib import PurePath, PureWindowsPath

import pytest

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
BIN = r"C:\Users\u\.bun\bin"


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


def test_an_older_bun_links_the_packages_own_program(golden: Golden, take: Take) -> None:
    """Where the user trusts its script, that is the payload's file."""
    found = take(golden("bun/darwin"))
    assert _told(found) == [("bun", "global", "2.1.330", "ok", True)]
    assert PurePath("/Users/u/.bun/bin/claude") in found.installs[0].names


def test_buns_launcher_on_windows_starts_the_payload(golden: Golden, take: Take) -> None:
    """The trusted script linked the payload into its place: one file, one install."""
    found = take(golden("bun/win32"))
    assert _told(found) == [("bun", "global", "2.1.330", "ok", True)]
    assert PureWindowsPath(rf"{BIN}\claude.exe") in found.installs[0].names
    assert found.problems == ()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (r"install\global\node_modules\@anthropic-ai\claude-code\bin\claude.exe", "global"),
        (r"@anthropic-ai\claude-code-win32-x64\claude.exe", "payload"),
    ],
)
def test_buns_launcher_on_windows_says_what_it_starts(
    tree: Tree, take: Take, path: str, place: str
) -> None:
    """The path in the .bunx file beside it, whatever folder that is relative to."""
    found = take(tree(_windows(path), system="win32", environment={"PATH": BIN}))
    assert [told[:2] for told in _told(found) if told[4]] == [("bun", place)]
    assert len(found.installs) == 2


@pytest.mark.parametrize(
    "path", ["", "canary", r"..\canary-secret\claude.exe", "\x00@anthropic-ai"]
)
def test_a_launcher_that_says_something_else_is_unknown(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str], path: str
) -> None:
    """It is a program of another kind then, and nothing of its text is told."""
    host = tree(_windows(path), system="win32", environment={"PATH": BIN})
    found = take(host)
    assert [told[0] for told in _told(found) if told[4]] == ["other"]
    assert "canary" not in sent(host, found)


def _windows(path: str) -> dict[str, object]:
    modules = r"C:\Users\u\.bun\install\global\node_modules\@anthropic-ai"
    program = {"platform": "win32-x64", "version": "2.1.330"}
    # The launcher's file is UTF-16; a recorded text is UTF-8, the same for these letters.
    bunx = "".join(f"{letter}\0" for letter in f'{path}"')
    return {
        rf"{BIN}\claude.exe": {"program": {**program, "version": "0", "package": "bun"}},
        rf"{BIN}\claude.bunx": bunx + "\0\0\0\0",
        rf"{modules}\claude-code\package.json": '{"version": "2.1.330"}',
        rf"{modules}\claude-code\bin\claude.exe": {"program": {**program, "version": "2.1.329"}},
        rf"{modules}\claude-code-win32-x64\claude.exe": {"program": program},
    }
