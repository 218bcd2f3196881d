"""The copies of editors' extensions: which are there, and which one an editor starts."""

from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from agent.discover.census import Census
from agent.host import Host
from agent.testing import RecordedHost, program_bytes

Take = Callable[[Host], Census]
Tree = Callable[..., RecordedHost]
ROOT = "/home/u/.vscode/extensions"


def _told(found: Census) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [
        (each.install.place, each.install.claimed, each.install.starts) for each in found.installs
    ]


def _extension(version: str, platform: str = "linux-x64") -> tuple[str, dict[str, object]]:
    program = {"platform": "linux-x64", "version": version, "commit": version.rjust(40, "0")}
    folder = f"{ROOT}/anthropic.claude-code-{version}-{platform}"
    return f"{folder}/resources/native-binary/claude", {"program": program}


def _started(found: Census) -> list[str | None]:
    return [each.install.claimed for each in found.installs if each.install.counted]


def test_each_editor_starts_the_version_that_it_lists(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """Not the newest on disk, which another profile or an unfinished update may have put there."""
    found = take(golden("editor_extension/linux"))
    assert _told(found) == [
        ("code-server", "2.1.207", ("editor",)),
        ("vscode", "2.1.329", ("editor",)),
        ("vscode-server", "2.1.240", ("editor",)),
        ("vscode", "2.1.328", ()),
        ("vscode", "2.1.330", ()),
        ("vscode-server", "2.1.99", ()),
    ]
    assert {each.install.method for each in found.installs} == {"editor_extension"}
    assert found.problems == ()


def test_a_removed_extension_starts_nowhere(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """A folder that its editor has marked for removal is at rest, whatever else is gone."""
    found = take(golden("editor_extension/darwin"))
    assert _told(found) == [("cursor", "2.1.330", ("editor",)), ("windsurf", "2.1.329", ())]


def test_a_windows_extension_has_a_program_of_its_own_name(
    golden: Callable[[str], RecordedHost], take: Take
) -> None:
    """claude.exe, in the same place."""
    found = take(golden("editor_extension/win32"))
    assert _told(found) == [("vscode", "2.1.330", ("editor",))]
    assert found.installs[0].install.state == "ok"


@pytest.mark.parametrize(
    ("listed", "problems"),
    [
        (None, 0),
        ("{", 1),
        ("[" * 50_000, 1),
        ("7", 1),
        (" " * 1_100_000, 1),
        ("{}", 0),
        ("[7, null, [], {}]", 0),
        ('[{"identifier": 7, "relativeLocation": "x"}]', 0),
        ('[{"identifier": {"id": "anthropic.claude-code"}, "relativeLocation": 7}]', 0),
        ('[{"identifier": {"id": "anthropic.claude-code"}, "relativeLocation": "../x"}]', 0),
    ],
)
def test_without_a_list_that_helps_the_newest_counts(
    tree: Tree, take: Take, listed: str | None, problems: int
) -> None:
    """By number and not by letter; a list that cannot be used is told, without its text."""
    files: dict[str, object] = dict([_extension("2.1.99"), _extension("2.1.330")])
    if listed is not None:
        files[f"{ROOT}/extensions.json"] = listed
    found = take(tree(files))
    assert _started(found) == ["2.1.330"]
    assert len(found.problems) == problems
    assert {each.collector for each in found.problems} <= {"editor_extension"}


@pytest.mark.parametrize("obsolete", ["{", "[]", '{"anthropic.claude-code-2.1.330-linux-x64": 0}'])
def test_only_a_clear_mark_makes_an_extension_obsolete(
    tree: Tree, take: Take, obsolete: str
) -> None:
    """A damaged list of marks, or a mark taken back, leaves the extension in use."""
    files = dict([_extension("2.1.330")])
    assert _started(take(tree({**files, f"{ROOT}/.obsolete": obsolete}))) == ["2.1.330"]


def test_a_listed_version_that_is_marked_gives_way_to_another(tree: Tree, take: Take) -> None:
    """Marks are stronger than the list, as they are for the editor."""
    name = "anthropic.claude-code-2.1.330-linux-x64"
    files: dict[str, object] = dict([_extension("2.1.329"), _extension("2.1.330")])
    files[f"{ROOT}/extensions.json"] = (
        f'[{{"identifier": {{"id": "anthropic.claude-code"}}, "relativeLocation": "{name}"}}]'
    )
    files[f"{ROOT}/.obsolete"] = f'{{"{name.upper()}": true}}'
    assert _started(take(tree(files))) == ["2.1.329"]


def test_an_extension_without_its_program_is_not_examined(tree: Tree, take: Take) -> None:
    """The one that the editor starts is told with the reason; one at rest is no copy."""
    files = {
        f"{ROOT}/anthropic.claude-code-{version}-linux-x64/package.json": "{}"
        for version in ("2.1.329", "2.1.330")
    }
    found = take(tree(files))
    assert _told(found) == [("vscode", "2.1.330", ("editor",))]
    assert found.installs[0].install.reason == "the extension has no program file"


def test_a_variable_moves_the_folder_of_extensions(tree: Tree, take: Take) -> None:
    """VSCODE_EXTENSIONS takes the place of the usual folder."""
    path, program = _extension("2.1.330")
    host = tree(
        {
            "/home/u/.profile": "export VSCODE_EXTENSIONS=~/ext",
            path.replace(ROOT, "/home/u/ext"): program,
            _extension("2.1.329")[0]: program,
        }
    )
    assert _told(take(host)) == [("vscode", "2.1.330", ("editor",))]


def test_other_extensions_are_no_copies_and_their_names_stay_here(
    tree: Tree, take: Take, sent: Callable[[Host, Census], str]
) -> None:
    """Neither a folder's name nor a word of the editor's lists is in what is sent."""
    path, program = _extension("2.1.330")
    host = tree(
        {
            path: program,
            f"{ROOT}/canary.claude-code-2.1.330/resources/native-binary/claude": program,
            f"{ROOT}/anthropic.claude-code-canary/resources/native-binary/claude": program,
            f"{ROOT}/extensions.json": '[{"identifier": {"id": "canary"}, "token": "canary"',
            f"{ROOT}/.obsolete": '["canary"]',
        }
    )
    found = take(host)
    assert len(found.installs) == 1
    assert len(found.problems) == 1
    said = sent(host, found)
    assert "canary" not in said
    assert "/home" not in said


def test_what_could_change_the_answer_is_watched(tree: Tree, take: Take) -> None:
    """The folders of editors that are not there yet, the two lists, and the program."""
    path, program = _extension("2.1.330")
    watch = set(take(tree({path: program})).watch)
    for name in (ROOT, f"{ROOT}/.obsolete", f"{ROOT}/extensions.json", path):
        assert PurePath(name) in watch
    assert PurePath("/home/u/.cursor/extensions") in watch


def test_folders_of_two_editors_that_are_one_give_one_install(
    tmp_path: Path, live: Callable[[Path], Host], take: Take
) -> None:
    """A link from one editor's extensions to another's makes no second copy."""
    home = tmp_path / "home"
    folder = home / ".vscode/extensions/anthropic.claude-code-2.1.330-linux-x64"
    (folder / "resources/native-binary").mkdir(parents=True)
    program = folder / "resources/native-binary/claude"
    program.write_bytes(program_bytes("linux-x64", "2.1.330"))
    program.chmod(0o755)
    (home / ".cursor").symlink_to(home / ".vscode")
    found = take(live(home))
    assert _told(found) == [("vscode", "2.1.330", ("editor",))]
    assert len(found.installs[0].names) == 1
