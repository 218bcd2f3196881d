"""The desktop app's own copies: the newest whole one is what it starts."""

from collections.abc import Callable
from pathlib import PurePath

import pytest

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost

Take = Callable[[Host], Census]
Tree = Callable[..., RecordedHost]
APP = "/home/u/.config/Claude/claude-code"
PROGRAM = {"program": {"platform": "linux-x64", "version": "2.1.260"}}


def _told(found: Census) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [
        (each.install.place, each.install.claimed, each.install.starts) for each in found.installs
    ]


def test_the_newest_whole_version_of_each_mode_is_started(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """One without its mark is at rest however new it is; a virtual machine's is none."""
    found = take(golden("desktop/darwin"))
    assert _told(found) == [
        ("app", "2.1.260", ("desktop",)),
        ("app-3p", "2.1.240", ("desktop",)),
        ("app", "2.1.280", ()),
        ("app", "2.1.99", ()),
    ]
    forms = {each.install.build.form for each in found.installs if each.install.build}
    assert forms == {"bundle"}
    assert {each.install.method for each in found.installs} == {"desktop"}
    assert found.problems == ()


def test_a_linux_app_keeps_its_copy_in_the_settings_folder(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """The same layout without an application bundle."""
    assert _told(take(golden("desktop/linux"))) == [("app", "2.1.260", ("desktop",))]


def test_a_store_package_has_a_folder_of_its_own_on_windows(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """Both are told: which of two apps its user opens cannot be read."""
    assert _told(take(golden("desktop/win32"))) == [
        ("app", "2.1.240", ("desktop",)),
        ("app", "2.1.260", ("desktop",)),
    ]


@pytest.mark.parametrize(
    "files",
    [
        {f"{APP}/2.1.260/.verified": ""},
        {f"{APP}/2.1.260/claude": {"text": ""}, f"{APP}/2.1.260/.verified": ""},
        {f"{APP}/2.1.260/claude": {"folder": True}},
        {f"{APP}/../../etc/claude": PROGRAM},
        {f"{APP}/2.1.260.tmp/claude": PROGRAM},
        {f"{APP}/latest/claude": PROGRAM},
    ],
)
def test_what_a_download_left_half_done_is_no_copy(
    tree: Tree, take: Take, files: dict[str, object]
) -> None:
    """A folder is a version only with a version's name and a program in it."""
    assert take(tree(files)).installs == ()


def test_a_marker_that_is_no_file_marks_nothing(tree: Tree, take: Take) -> None:
    """The copy is there, and at rest."""
    host = tree({f"{APP}/2.1.260/claude": PROGRAM, f"{APP}/2.1.260/.verified": {"folder": True}})
    assert _told(take(host)) == [("app", "2.1.260", ())]


def test_a_variable_moves_the_settings_folder_and_both_are_looked_at(
    tree: Tree, take: Take
) -> None:
    """An app that was not started from that shell still uses the usual one."""
    host = tree(
        {
            "/home/u/.profile": "export XDG_CONFIG_HOME=~/cfg",
            "/home/u/cfg/Claude/claude-code/2.1.240/claude": PROGRAM,
            f"{APP}/2.1.260/claude": {"program": {"platform": "linux-x64", "version": "2.1.260"}},
        }
    )
    assert [claimed for _, claimed, _ in _told(take(host))] == ["2.1.240", "2.1.260"]


def test_nothing_else_of_the_app_is_read_or_told(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """Its settings hold accounts; its marks may hold anything."""
    host = tree(
        {
            f"{APP}/2.1.260/claude": PROGRAM,
            f"{APP}/2.1.260/.verified": "canary",
            "/home/u/.config/Claude/config.json": {"text": "canary", "unreadable": True},
            "/home/u/.config/Claude/canary": "canary",
        }
    )
    found = take(host)
    assert _told(found) == [("app", "2.1.260", ("desktop",))]
    assert found.problems == ()
    said = sent(host, found)
    assert "canary" not in said
    assert "/home" not in said


def test_a_mark_that_is_not_there_yet_is_watched(tree: Tree, take: Take) -> None:
    """A download becomes whole by a new file in an old folder."""
    watch = set(take(tree({f"{APP}/2.1.260/claude": PROGRAM})).watch)
    assert {PurePath(APP), PurePath(f"{APP}/2.1.260/.verified")} <= watch
