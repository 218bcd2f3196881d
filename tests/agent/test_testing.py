"""The recorded host answers as a live one would, and every tree says where it comes from."""

import errno
import os
import tomllib
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from agent import platforms
from agent.host import Host
from agent.testing import RecordedHost, recorded

TREES = sorted((Path(__file__).parents[1] / "golden" / "hosts").rglob("*.toml"))
TREE = """
[origin]
kind = "facts"
[host]
system = "linux"
arch = "x64"
home = "HOME"
shell = "bash"
[files."HOME/folder/file"]
text = "text"
[files."HOME/program"]
text = "text"
mode = "x"
[files."HOME/other"]
same = "HOME/program"
[files."HOME/link"]
link = "folder/../folder"
[files."HOME/loop"]
link = "loop"
[files."HOME/pipe"]
pipe = true
"""


@pytest.fixture(params=["recorded", "live"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    """The same tree, recorded and on a real disk."""
    if request.param == "recorded":
        return recorded(TREE.replace("HOME", str(tmp_path)))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("text")
    (tmp_path / "program").write_text("text")
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "other").hardlink_to(tmp_path / "program")
    (tmp_path / "link").symlink_to("folder/../folder")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    return platforms.live(home=tmp_path, system_root=None, environment={})


def _code(call: Callable[[], object]) -> int | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is what is asserted
        call()
    return caught.value.errno


def test_a_recorded_host_answers_as_a_live_one(host: Host) -> None:
    """Links, names of one file, kinds of files and errors."""
    home = host.home
    assert host.listdir(home / "link") == ("file",)
    assert host.resolve(home / "link/file") == home / "folder/file"
    assert host.read(home / "link/file", max_bytes=4) == b"text"
    assert host.stat(home / "program").identity == host.stat(home / "other").identity
    assert host.stat(home / "program").executable
    assert not host.stat(home / "folder/file").executable
    assert [path.name for path in host.walk_path((home, home / "gone"), "program")] == ["program"]
    with host.open(home / "program") as file:
        assert host.stat_open(file).identity == host.stat(home / "program").identity


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gone", errno.ENOENT),
        ("program/below", errno.ENOTDIR),
        ("loop", errno.ELOOP),
        ("pipe", errno.EINVAL),
    ],
)
def test_a_recorded_host_fails_as_a_live_one(host: Host, name: str, code: int) -> None:
    """By the same number."""
    assert _code(lambda: host.open(host.home / name)) == code


def test_a_file_beyond_the_limit_is_refused(host: Host) -> None:
    """As on a disk."""
    assert _code(lambda: host.read(host.home / "program", max_bytes=3)) == errno.EFBIG


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
