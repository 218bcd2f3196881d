"""yarn's global package on recorded trees; the real tool is in node/test_installed.py."""

from collections.abc import Callable
from pathlib import PurePath

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


def test_yarn_unpacks_the_payloads_of_all_c_libraries(golden: Golden, take: Take) -> None:
    """The one that is not the program is at rest."""
    found = take(golden("yarn/linux"))
    assert _told(found) == [
        ("yarn", "global", "2.1.330", "ok", True),
        ("yarn", "payload", "2.1.330", "ok", False),
    ]
    assert PurePath("/home/u/.yarn/bin/claude") in found.installs[0].names
    assert found.problems == ()


def test_yarns_launcher_on_windows_starts_another_one(golden: Golden, take: Take) -> None:
    """Both are followed, to the package's program."""
    found = take(golden("yarn/win32"))
    assert _told(found) == [("yarn", "global", "2.1.330", "ok", True)]


def test_yarn_on_a_mac_lies_where_it_does_on_linux(golden: Golden, take: Take) -> None:
    """A Mac has one C library, so there is one payload."""
    found = take(golden("yarn/darwin"))
    assert _told(found) == [("yarn", "global", "2.1.330", "ok", True)]
    assert PurePath("/Users/u/.yarn/bin/claude") in found.installs[0].names
    assert found.problems == ()


def test_a_moved_data_folder_is_found_beside_the_usual_one(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """What was installed before XDG_DATA_HOME was set is still there, and no path is told."""
    package = "yarn/global/node_modules/@anthropic-ai/claude-code"
    host = tree(
        {
            "/home/u/.bashrc": "export XDG_DATA_HOME=/home/u/canary",
            f"/home/u/canary/{package}/bin/claude.exe": PROGRAM,
            f"/home/u/canary/{package}/package.json": '{"version": "2.1.330", "_from": "canary"}',
            f"/home/u/.config/{package}/bin/claude.exe": PROGRAM,
        }
    )
    found = take(host)
    assert _told(found) == [
        ("yarn", "global", None, "ok", False),
        ("yarn", "global", "2.1.330", "ok", False),
    ]
    assert "canary" not in sent(host, found)
