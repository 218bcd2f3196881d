"""WinGet's portable package, on recorded Windows trees."""

from collections.abc import Callable

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Golden = Callable[[str], RecordedHost]
Tree = Callable[..., RecordedHost]
PROGRAM = {"program": {"platform": "win32-x64", "version": "2.1.330"}}
WINGET = r"C:\Users\u\AppData\Local\Microsoft\WinGet"


def _told(found: Census) -> list[tuple[str, str, str | None, str, bool]]:
    told = (each.install for each in found.installs)
    return [(one.method, one.place, one.claimed, one.state, one.counted) for one in told]


def test_the_link_starts_the_users_package(golden: Golden, take: Take) -> None:
    """What is installed for all users is at rest behind it; another package is none of ours."""
    found = take(golden("winget/win32"))
    assert _told(found) == [
        ("winget", "user", None, "ok", True),
        ("winget", "machine", None, "ok", False),
    ]
    assert [name.parent.name for name in found.installs[0].names] == ["Links"]
    assert found.problems == ()


def test_a_package_whose_own_folder_is_on_path_counts(tree: Tree, take: Take) -> None:
    """WinGet does so where it may make no links."""
    folder = rf"{WINGET}\Packages\Anthropic.ClaudeCode_x"
    host = tree(
        {rf"{folder}\claude.exe": PROGRAM},
        system="win32",
        environment={"PATH": folder},
    )
    assert _told(take(host)) == [("winget", "user", None, "ok", True)]


def test_a_packages_name_is_not_told(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """A folder's name holds the source's, which a company may have named after itself."""
    folder = rf"{WINGET}\Packages\Anthropic.ClaudeCode_canary-secret"
    host = tree({rf"{folder}\claude.exe": PROGRAM}, system="win32")
    found = take(host)
    assert len(found.installs) == 1
    assert "canary" not in sent(host, found)


def test_there_is_no_winget_elsewhere(tree: Tree, take: Take) -> None:
    """A folder of that name on another system is not looked into."""
    name = "/home/u/AppData/Local/Microsoft/WinGet/Packages/Anthropic.ClaudeCode_x/claude.exe"
    assert _told(take(tree({name: PROGRAM}))) == []
