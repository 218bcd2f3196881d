"""The copy in ~/.claude/local: its script, its alias, its package."""

from collections.abc import Callable
from pathlib import PurePath, PureWindowsPath

import pytest

from agent import wire
from agent.discover import launcher
from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "linux-x64", "version": "2.1.330"}}
PACKAGE = "@anthropic-ai/claude-code"


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


@pytest.mark.parametrize(
    ("system", "home", "platform"),
    [("darwin", "/Users/u", "darwin-arm64"), ("linux", "/home/u", "linux-x64")],
)
def test_the_alias_starts_the_package_through_its_script(
    golden: Golden, take: Take, system: str, home: str, platform: str
) -> None:
    """The script and the link that it names are names of one program."""
    found = take(golden(f"legacy_local/{system}"))
    assert _told(found) == [("legacy_local", "local", "2.1.320", "ok", True)]
    local = PurePath(home, ".claude/local")
    assert set(found.installs[0].names) == {
        local / "claude",
        local / "node_modules/.bin/claude",
        local / f"node_modules/@anthropic-ai/claude-code-{platform}/claude",
    }
    assert found.problems == ()


def test_npms_launcher_starts_the_local_package_on_windows(golden: Golden, take: Take) -> None:
    """There is no script of two lines and no alias there."""
    found = take(golden("legacy_local/win32"))
    assert _told(found) == [("legacy_local", "local", "2.1.320", "ok", True)]
    local = PureWindowsPath(r"C:\Users\u\.claude\local")
    assert local / "node_modules/.bin/claude.cmd" in found.installs[0].names


IN_PLACE = "/home/u/.claude/local/node_modules/.bin/claude"


@pytest.mark.parametrize(
    ("script", "starts", "problems"),
    [
        (f'#!/bin/sh\nexport CANARY=1\nexec "{IN_PLACE}" "$@"\n', True, ()),
        (
            '#!/bin/sh\nexec "$HOME/.claude/local/node_modules/.bin/claude" --canary "$@"\n',
            True,
            (wire.Problem("search_path", launcher.ADDS),),
        ),
        ('#!/bin/sh\nexec "/opt/canary/claude" "$@"\n', False, ()),
        (f'#!/bin/sh\ncanary\nexec "{IN_PLACE}" "$@"\n', False, ()),
    ],
)
def test_a_script_of_the_users_own_is_no_name_of_the_copy(
    tree: Tree,
    take: Take,
    sent: Callable[[Host, Census], str],
    script: str,
    problems: tuple[wire.Problem, ...],
    *,
    starts: bool,
) -> None:
    """It is followed as any launcher is, and not a word of it is told."""
    local = "/home/u/.claude/local"
    host = tree(
        {
            "/home/u/.bashrc": f"alias claude={local}/claude",
            f"{local}/claude": {"text": script, "mode": "x"},
            f"{local}/package.json": '{"name": "claude-local", "canary": "secret"}',
            f"{local}/node_modules/.bin/claude": {"link": f"../{PACKAGE}/bin/claude.exe"},
            f"{local}/node_modules/{PACKAGE}/bin/claude.exe": PROGRAM,
        }
    )
    found = take(host)
    unknown = [] if starts else [("other", "search-path", None, "not-examined", True)]
    assert _told(found) == [*unknown, ("legacy_local", "local", None, "ok", starts)]
    assert found.problems == problems
    assert "canary" not in sent(host, found).lower()


def test_the_javascript_package_is_found_too(tree: Tree, take: Take) -> None:
    """Most local installations are older than the native builds."""
    local = "/home/u/.claude/local/node_modules"
    script = "#!/usr/bin/env node\n// Version: 1.0.128\n"
    host = tree(
        {
            f"{local}/{PACKAGE}/package.json": '{"version": "1.0.128"}',
            f"{local}/{PACKAGE}/cli.js": {"text": script, "mode": "x"},
        }
    )
    assert _told(take(host)) == [("legacy_local", "local", "1.0.128", "ok", False)]
