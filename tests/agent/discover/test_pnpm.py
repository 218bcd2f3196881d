"""pnpm's global packages on recorded trees; the real tool is in node/test_installed.py."""

from collections.abc import Callable
from pathlib import PurePath

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "darwin-arm64", "version": "2.1.330"}}
PACKAGE = "@anthropic-ai/claude-code"


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


def test_pnpm_11_keeps_each_package_in_a_folder_of_its_own(golden: Golden, take: Take) -> None:
    """Its launcher leads through two links into the store, to one file."""
    found = take(golden("pnpm/linux-v11"))
    assert _told(found) == [("pnpm", "global", "2.1.330", "ok", True)]
    assert PurePath("/home/u/.local/share/pnpm/bin/claude") in found.installs[0].names
    assert found.problems == ()


def test_pnpms_launcher_on_windows_is_followed(golden: Golden, take: Take) -> None:
    """claude.cmd names the program by its own folder."""
    found = take(golden("pnpm/win32"))
    assert _told(found) == [("pnpm", "global", "2.1.330", "ok", True)]


def test_pnpm_10_links_the_package_out_of_its_store(golden: Golden, take: Take) -> None:
    """On a Mac its folder is the one that PNPM_HOME of the start files says."""
    found = take(golden("pnpm/darwin"))
    assert _told(found) == [("pnpm", "global", "2.1.330", "ok", True)]
    assert PurePath("/Users/u/Library/pnpm/claude") in found.installs[0].names
    assert found.problems == ()


def test_a_launcher_of_another_package_leads_nowhere_here(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """It is told as a program of unknown kind, and nothing that it says."""
    pnpm = "/Users/u/Library/pnpm"
    host = tree(
        {
            "/Users/u/.zprofile": f"PATH={pnpm}:$PATH",
            f"{pnpm}/claude": {
                "text": '#!/bin/sh\nexport CANARY=1\nexec "$basedir/global/5/canary" "$@"\n',
                "mode": "x",
            },
            f"{pnpm}/global/5/node_modules/{PACKAGE}/package.json": '{"canary": "secret"}',
            f"{pnpm}/global/5/node_modules/{PACKAGE}/bin/claude.exe": PROGRAM,
        },
        system="darwin",
        login="zsh",
    )
    found = take(host)
    assert _told(found) == [
        ("other", "search-path", None, "not-examined", True),
        ("pnpm", "global", None, "ok", False),
    ]
    assert "canary" not in sent(host, found).lower()
