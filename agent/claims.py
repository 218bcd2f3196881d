"""What Claude Code's own files say of its running processes: evidence, never a build.

The session registry (facts 4.2) names a process by number and start token and says from where
it was started; a version lock (facts 4.3) names it by number and program. Both outlive a crash,
so a claim counts only if it holds for the live process of that number. Of each file nothing but
these is kept; the registry's socket tokens, ``*.key``, are never opened.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

import msgspec

from agent import surfaces
from agent.discover.interface import on_host
from agent.host import Host, Image, Process

CLAIM_MAX_BYTES = 65_536
"""Largest registry or lock file that is read."""

CLAIMS_MAX = 256
"""Most files of one folder that are read."""

_ENTRY = re.compile(r"\d{1,10}\.json\Z")
_LOCK = re.compile(r"[0-9A-Za-z.+_@#-]{1,100}\.lock\Z")
# How far two FILETIMEs of one start may lie apart: a millisecond.
_FILETIME_FRACTION = 10_000
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Claim:
    """That a process is a session.

    Attributes:
        started: Its start token, as the registry has it.
        program: The file that it executes, as a lock has it.
        surface: From where it was started, as the registry has it.
    """

    started: str | None = None
    program: PurePath | None = None
    surface: str | None = None

    def holds(self, host: Host, process: Process, image: Image | None) -> bool:
        """Whether it is about this very process, and not an earlier one of its number."""
        if self.started is not None:
            return _same_start(host.system, self.started, process.started)
        return image is not None and self.program == image.path


class _Entry(msgspec.Struct):
    pid: int
    started: str | int | None = msgspec.field(name="procStart", default=None)
    entry_point: str | None = msgspec.field(name="entrypoint", default=None)
    kind: str | None = None


class _Lock(msgspec.Struct):
    pid: int
    program: str | None = msgspec.field(name="execPath", default=None)


def read(host: Host) -> Mapping[int, tuple[Claim, ...]]:
    """The claims of both kinds, by process number. What cannot be read claims nothing."""
    claims: dict[int, tuple[Claim, ...]] = {}
    for pid, claim in (*_registry(host), *_locks(host)):
        claims[pid] = (*claims.get(pid, ()), claim)
    return claims


def _registry(host: Host) -> Iterator[tuple[int, Claim]]:
    usual = host.home / ".claude"
    moved = on_host(host, host.environment.get("CLAUDE_CONFIG_DIR", "")) or usual
    for folder in dict.fromkeys((usual, moved)):
        for data in _files(host, folder / "sessions", _ENTRY):
            entry = _decoded(data, _Entry)
            if entry is not None and entry.started is not None:
                surface = surfaces.of_entry(entry.entry_point, entry.kind)
                yield entry.pid, Claim(started=str(entry.started), surface=surface)


def _locks(host: Host) -> Iterator[tuple[int, Claim]]:
    usual = host.home / ".local" / "state"
    moved = on_host(host, host.environment.get("XDG_STATE_HOME", "")) or usual
    for folder in dict.fromkeys((usual, moved)):
        for data in _files(host, folder / "claude" / "locks", _LOCK):
            lock = _decoded(data, _Lock)
            program = on_host(host, lock.program or "") if lock else None
            if lock is not None and program is not None:
                yield lock.pid, Claim(program=program)


def _files(host: Host, folder: PurePath, names: re.Pattern[str]) -> Iterator[bytes]:
    try:
        found = [name for name in host.listdir(folder) if names.match(name)]
    except OSError:
        return
    for name in found[:CLAIMS_MAX]:
        try:
            yield host.read(folder / name, max_bytes=CLAIM_MAX_BYTES)
        except OSError:
            # Removed at this moment, most likely: its session has ended.
            continue


def _decoded(data: bytes, kind: type[_Kind]) -> _Kind | None:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _same_start(system: str, claimed: str, started: str) -> bool:
    if system == "win32" and claimed.isdecimal() and started.isdecimal():
        return abs(int(claimed) - int(started)) <= _FILETIME_FRACTION
    # The macOS date may pad the day with a blank or two.
    return claimed.split() == started.split()
