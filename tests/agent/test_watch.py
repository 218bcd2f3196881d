"""The cheap look at the watched files, on a real disk."""

import os
from pathlib import Path

import pytest

from agent import platforms, watch
from agent.host import Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A live host over a scratch home."""
    return platforms.live(home=tmp_path, system_root=tmp_path, environment={})


def test_the_same_files_look_the_same(host: Host, tmp_path: Path) -> None:
    """Reading a file changes nothing of what is watched."""
    file = tmp_path / "settings.json"
    file.write_text("{}")
    before = watch.snapshot(host, [file, tmp_path])
    file.read_text()
    assert watch.snapshot(host, [tmp_path, file]) == before


def test_a_new_name_in_a_folder_is_seen(host: Host, tmp_path: Path) -> None:
    """A version installed beside the others changes its folder's time."""
    os.utime(tmp_path, (1, 1))
    before = watch.snapshot(host, [tmp_path])
    (tmp_path / "2.1.331").touch()
    assert watch.snapshot(host, [tmp_path]) != before


def test_a_path_that_comes_into_being_or_goes_is_seen(host: Host, tmp_path: Path) -> None:
    """What is missing is watched too."""
    file = tmp_path / "later"
    missing = watch.snapshot(host, [file])
    file.touch()
    there = watch.snapshot(host, [file])
    assert there != missing
    file.unlink()
    assert watch.snapshot(host, [file]) == missing


def test_the_stamp_of_a_small_file_tells_of_every_change(tmp_path: Path) -> None:
    """It comes, is replaced by an equal one, and goes."""
    file, other = tmp_path / "pause.json", tmp_path / "new"
    missing = watch.stamp(file)
    for each in (file, other):
        each.write_text("{}")
        os.utime(each, (1, 1))
    there = watch.stamp(file)
    other.replace(file)
    assert len({missing, there, watch.stamp(file)}) == 3
    file.unlink()
    assert watch.stamp(file) == missing


def test_a_file_replaced_by_an_equal_one_is_seen(host: Host, tmp_path: Path) -> None:
    """Size and time may be the same: the file itself is not."""
    file, other = tmp_path / "claude", tmp_path / "other"
    for each in (file, other):
        each.write_bytes(b"same size")
        os.utime(each, (1, 1))
    before = watch.snapshot(host, [file])
    other.replace(file)
    assert watch.snapshot(host, [file]) != before
