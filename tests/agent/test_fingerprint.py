"""From file to build: hashed once, remembered by the open file, never half read."""

import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import BinaryIO

import pytest

from agent import platforms
from agent.fingerprint import CACHE_ENTRIES_MAX, CHANGED, Fingerprints, Reading
from agent.host import FileStat, Host
from agent.testing import program_bytes, recorded

FAR_FUTURE_NS = 10**19


def _later() -> int:
    return FAR_FUTURE_NS


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """The live host over a temporary home."""
    return platforms.live(home=tmp_path, system_root=tmp_path, environment={})


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program file of 20 MB."""
    path = tmp_path / "claude"
    path.write_bytes(program_bytes("linux-x64", "2.1.330").ljust(20_000_000, b"\0"))
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where a cache would be."""
    return tmp_path / "state" / "fingerprints.json"


class _Told:
    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))


def test_a_build_is_named_by_its_whole_bytes(host: Host, program: Path, cache: Path) -> None:
    """Digest, size and statement are those of the file; progress grows up to its size."""
    told = _Told()
    found = Fingerprints(cache).examine(host, program, told)
    assert found.build is not None
    assert found.build.sha256 == hashlib.sha256(program.read_bytes()).hexdigest()
    assert (found.build.size, found.build.version) == (20_000_000, "2.1.330")
    assert told.calls == sorted(told.calls)
    assert {total for _, total in told.calls} == {20_000_000}


def test_a_known_file_is_not_read_again(host: Host, program: Path, cache: Path) -> None:
    """A second agent process finds the build in the cache of the first."""
    first = Fingerprints(cache, clock=_later)
    found = first.examine(host, program)
    first.save()
    told = _Told()
    assert Fingerprints(cache).examine(host, program, told) == found
    assert told.calls == []


def test_a_changed_file_is_read_again(host: Host, program: Path, cache: Path) -> None:
    """Same size, same modification time: the change time still tells."""
    known = Fingerprints(cache, clock=_later)
    before = known.examine(host, program)
    stat = program.stat()
    with program.open("r+b") as file:
        file.seek(10_000_000)
        file.write(b"x")
    os.utime(program, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = known.examine(host, program)
    assert before.build
    assert after.build
    assert before.build.sha256 != after.build.sha256


def test_a_file_that_changed_just_now_is_not_remembered(
    host: Host, program: Path, cache: Path
) -> None:
    """It could change again within one tick of the file system's clock."""
    fresh = Fingerprints(cache, clock=lambda: program.stat().st_ctime_ns + 1)
    fresh.examine(host, program)
    fresh.save()
    assert not cache.exists()


def test_the_cache_is_written_only_when_it_changed(host: Host, program: Path, cache: Path) -> None:
    """An idle laptop's disk is left alone."""
    first = Fingerprints(cache, clock=_later)
    first.examine(host, program)
    first.save()
    stamp = cache.stat()
    assert stamp.st_mode & 0o777 == 0o600, "as its neighbours"
    again = Fingerprints(cache, clock=_later)
    again.examine(host, program)
    again.save()
    assert cache.stat().st_mtime_ns == stamp.st_mtime_ns
    assert cache.stat().st_ino == stamp.st_ino


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"version":2,"entries":[]}',
        b'{"version":1,"entries":[7]}',
        b" " * 1_100_000,
    ],
)
def test_a_damaged_cache_is_an_empty_one(
    host: Host, program: Path, cache: Path, damage: bytes
) -> None:
    """It costs one more hashing, and is replaced."""
    cache.parent.mkdir()
    cache.write_bytes(damage)
    found = Fingerprints(cache, clock=_later)
    assert found.examine(host, program).build
    found.save()
    told = _Told()
    assert Fingerprints(cache).examine(host, program, told).build
    assert told.calls == []


def test_the_cache_is_bounded(host: Host, tmp_path: Path, cache: Path) -> None:
    """The longest unused builds go first."""
    known = Fingerprints(cache, clock=_later)
    path = tmp_path / "claude"
    for number in range(CACHE_ENTRIES_MAX + 5):
        path.write_bytes(program_bytes("linux-x64", f"2.1.{number}"))
        known.examine(host, path)
    known.save()
    assert cache.read_bytes().count(b'"key"') == CACHE_ENTRIES_MAX
    assert b'"2.1.4"' not in cache.read_bytes()


class _Restless:
    """A recorded host whose file is another one each time it is asked."""

    def __init__(self, *changes: dict[str, int]) -> None:
        self._changes = list(changes)
        self._stat = FileStat(1, 2, 5000, 3, 4, is_file=True, is_dir=False, executable=False)

    def open(self, path: PurePath) -> BinaryIO:
        assert path.is_absolute()
        return io.BytesIO(program_bytes("linux-x64", "2.1.330"))

    def stat_open(self, file: BinaryIO) -> FileStat:
        assert not file.closed
        if self._changes:
            self._stat = replace(self._stat, **self._changes.pop(0))  # type: ignore[arg-type]
        return self._stat


@pytest.mark.parametrize(
    ("changes", "is_examined"),
    [
        (({}, {"size": 6000}), False),
        (({}, {"mtime_ns": 9}), False),
        (({}, {"ctime_ns": 9}), True),
        (({}, {"ctime_ns": 9}, {"ctime_ns": 10}), False),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_not_examined(
    cache: Path, changes: tuple[dict[str, int], ...], *, is_examined: bool
) -> None:
    """A new name alone, which only stamps the file, is worth one more reading."""
    host: Host = _Restless(*changes)  # type: ignore[assignment] # only what is asked of it
    found = Fingerprints(cache).examine(host, PurePath("/claude"))
    assert (found.build is not None) == is_examined
    assert found.reason == (None if is_examined else CHANGED)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('text = "#!/bin/sh"', "the launcher is a script"),
        ('text = ""', "the file is empty"),
        ("pipe = true", "it is not a regular file"),
        ('text = "x"\nunreadable = true', "it may not be read"),
        ('link = "/claude"', "its links lead in a circle"),
        ('link = "/gone"', "it is not there"),
    ],
)
def test_what_cannot_be_examined_has_a_reason(cache: Path, table: str, reason: str) -> None:
    """A value, not an exception."""
    host = recorded(
        '[origin]\nkind="facts"\n[host]\nsystem="linux"\narch="x64"\nhome="/h"\nshell="sh"\n'
        f'[files."/claude"]\n{table}\n'
    )
    assert Fingerprints(cache).examine(host, PurePath("/claude")) == Reading(reason=reason)


def test_a_huge_sparse_file_is_not_read(host: Host, program: Path, cache: Path) -> None:
    """A size that no build has costs nothing."""
    os.truncate(program, 2**40)
    assert Fingerprints(cache).examine(host, program).reason == "it is too big"


@pytest.mark.real
def test_npms_placeholder_is_a_stub_and_a_changed_one_a_script(
    host: Host,
    tmp_path: Path,
    cache: Path,
    claude_package: Callable[..., Path],
) -> None:
    """One changed byte makes it somebody's script."""
    inner = "lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"
    data = (claude_package("2.1.330", scripts=False) / inner).read_bytes()
    stub = tmp_path / "stub"
    stub.write_bytes(data)
    assert Fingerprints(cache).examine(host, stub) == Reading(stub=True)
    stub.write_bytes(data.replace(b"Error", b"error", 1))
    assert Fingerprints(cache).examine(host, stub).reason == "the launcher is a script"
