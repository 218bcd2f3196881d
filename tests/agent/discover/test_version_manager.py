"""mise and asdf: each version once, and the one that a shim starts."""

from collections.abc import Callable

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


def test_mises_shim_starts_what_latest_leads_to(golden: Golden, take: Take) -> None:
    """Links beside the numbers are no copies; the package of npm's backend is one."""
    found = take(golden("version_manager/linux-mise"))
    assert _told(found) == [
        ("version_manager", "mise", "2.1.330", "ok", True),
        ("version_manager", "mise", "2.1.310", "ok", False),
        ("version_manager", "mise", "2.1.320", "ok", False),
    ]
    assert found.problems == ()


def test_asdfs_shim_starts_the_chosen_version(golden: Golden, take: Take) -> None:
    """The newer one that nobody chose is at rest."""
    found = take(golden("version_manager/darwin-asdf"))
    assert _told(found) == [
        ("version_manager", "asdf", "2.1.320", "ok", True),
        ("version_manager", "asdf", "2.1.330", "ok", False),
    ]
    assert found.problems == ()


def test_mise_on_windows_has_its_folder_in_the_local_data(golden: Golden, take: Take) -> None:
    """Its npm packages have no lib folder there."""
    assert _told(take(golden("version_manager/win32-mise"))) == [
        ("version_manager", "mise", "2.1.320", "ok", False),
        ("version_manager", "mise", "2.1.330", "ok", False),
    ]


def test_two_tools_that_are_chosen_leave_the_shim_open(tree: Tree, take: Take) -> None:
    """A package of the chosen Node.js stands beside the chosen tool: either may start."""
    mise = "/home/u/.local/share/mise"
    host = tree(
        {
            "/home/u/.bashrc": "PATH=~/.local/share/mise/shims:$PATH",
            "/home/u/.config/mise/config.toml": '[tools]\nclaude = "2.1.330"\nnode = "24.1.0"\n',
            f"{mise}/shims/claude": PROGRAM,
            f"{mise}/installs/claude/2.1.330/claude": PROGRAM,
            f"{mise}/installs/node/24.1.0/bin/claude": PROGRAM,
        }
    )
    found = take(host)
    assert [each.reason for each in found.problems] == [
        "a version manager chooses which claude starts"
    ]


def test_a_tool_of_a_similar_name_without_the_program_is_none(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """Neither its name nor that of a link is told."""
    installs = "/home/u/.asdf/installs"
    host = tree(
        {
            f"{installs}/claude-canary/1.0.0/bin/canary": PROGRAM,
            f"{installs}/claude/canary-secret/bin/claude": PROGRAM,
        }
    )
    found = take(host)
    assert _told(found) == [("version_manager", "asdf", None, "ok", False)]
    assert "canary" not in sent(host, found)
