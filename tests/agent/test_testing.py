"""Recorded trees are asked in their own style, and each says where it comes from.

That a recorded host answers as a live one is held by the contract of platforms.
"""

import tomllib
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from agent.testing import RecordedHost, recorded

TREES = sorted((Path(__file__).parents[1] / "golden" / "hosts").rglob("*.toml"))


def test_a_recorded_windows_tree_is_asked_in_windows_paths() -> None:
    """Whatever system the tests run on; case does not matter there."""
    host = recorded(
        '[origin]\nkind="facts"\n[host]\nsystem="win32"\narch="x64"\nhome=\'C:\\Users\\u\'\n'
        'shell="cmd"\n[files.\'C:\\Users\\u\\a.txt\']\ntext="x"\n'
    )
    assert host.home == PureWindowsPath("C:/Users/u")
    assert host.read(PureWindowsPath("c:/users/U/A.TXT"), max_bytes=1) == b"x"
    assert isinstance(host.managed_settings, PureWindowsPath)


@pytest.mark.parametrize("path", TREES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_tree_says_where_it_comes_from(path: Path) -> None:
    """A support table is made from it: real with its command, or facts with its section."""
    text = path.read_text(encoding="utf-8")
    origin = tomllib.loads(text)["origin"]
    wanted = {"real": {"package", "version", "command"}, "facts": {"section", "verified"}}
    assert wanted[origin["kind"]] <= origin.keys()
    host: RecordedHost = recorded(text)
    assert isinstance(host.home, PurePosixPath | PureWindowsPath)
    assert isinstance(host.home, PurePath)
