r"""A host over a recorded tree: other systems, judged by the same code.

A tree is a TOML file that lists paths in the recorded system's own style, with an
``[origin]``: ``real`` (package, version and the command that made it) or ``facts`` (the
section that says so, unverified). Contents are small texts, links, or ``program`` tables
from which a program file's telling parts are made: a header of its platform and the
statement of its version (facts 1.2).

    [host]
    system = "win32"
    arch = "x64"
    home = 'C:\Users\u'
    shell = "cmd"

    [files.'C:\Users\u\.local\bin\claude.exe']
    program = {platform = "win32-x64", version = "2.1.330"}

A ``[policies]`` table holds the registry's policy texts of a Windows tree, by scope
(``machine``, ``user``), and a ``[variables]`` table one table of variables for each. A file's
table has one of ``text``, ``program``, ``link``, ``same`` (another name of a file), ``folder``,
``pipe`` or ``unreadable``; ``mode = "x"`` makes a text executable. Its processes are described
in `agent.testing_processes`.
"""

import errno
import io
import os
import struct
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from agent.host import FileStat, PolicyScope
from agent.platforms.common import preference_names
from agent.platforms.win32 import suffixes
from agent.testing_processes import RecordedProcesses

_LINKS_MAX = 40
_STAMP_NS = 1_700_000_000_000_000_000
_MANAGED = {
    "darwin": "/Library/Application Support/ClaudeCode",
    "linux": "/etc/claude-code",
    "win32": "C:/Program Files/ClaudeCode",
}


@dataclass(frozen=True)
class Node:
    """One file of a recorded tree.

    Attributes:
        stat: Its facts.
        data: Its bytes.
        link: Where it leads, for a link.
        is_readable: Whether it may be opened or listed.
    """

    stat: FileStat
    data: bytes = b""
    link: PurePath | None = None
    is_readable: bool = True


class _File(io.BytesIO):
    def __init__(self, node: Node) -> None:
        super().__init__(node.data)
        self.stat = node.stat


class RecordedHost(RecordedProcesses):
    """A `agent.host.Host` over a tree in memory.

    Attributes:
        origin: Where the tree comes from.
        system: As `agent.host.Host.system`.
        arch: As `agent.host.Host.arch`.
        home: As `agent.host.Host.home`.
        login_shell: As `agent.host.Host.login_shell`.
        environment: As `agent.host.Host.environment`.
    """

    def __init__(self, tree: Mapping[str, Any]) -> None:
        """Builds the tree from the values of its TOML file."""
        host = tree["host"]
        self.origin: Mapping[str, Any] = tree["origin"]
        self.system: str = host["system"]
        self.arch: str = host["arch"]
        self._style = PureWindowsPath if self.system == "win32" else PurePosixPath
        super().__init__(tree.get("processes", ()), self._style)
        self.home: PurePath = self._style(host["home"])
        self.login_shell: str = host["shell"]
        self.environment: Mapping[str, str] = tree.get("environment", {})
        self._policies: Mapping[str, str] = tree.get("policies", {})
        self._variables: Mapping[str, Mapping[str, str]] = tree.get("variables", {})
        self._suffixes = suffixes(self.environment) if self.system == "win32" else ("",)
        self._nodes: dict[PurePath, Node] = {}
        for name, entry in tree.get("files", {}).items():
            self._add(self._style(name), entry)
        self._folder(self.home)

    @property
    def managed_settings(self) -> PurePath:
        """As `agent.host.Host.managed_settings`."""
        return self._style(_MANAGED[self.system])

    @property
    def managed_preferences(self) -> tuple[PurePath, ...]:
        """As `agent.host.Host.managed_preferences`."""
        names = preference_names(self.home.name) if self.system == "darwin" else ()
        return tuple(self._style(name) for name in names)

    def managed_policy(self, scope: PolicyScope) -> str | None:
        """As `agent.host.Host.managed_policy`."""
        return self._policies.get(scope)

    def user_variables(
        self, scope: PolicyScope, wanted: Callable[[str], bool]
    ) -> Mapping[str, str]:
        """As `agent.host.Host.user_variables`."""
        kept = self._variables.get(scope, {})
        return {name.upper(): kept[name] for name in kept if wanted(name.upper())}

    def system_file(self, name: str) -> PurePath:
        """As `agent.host.Host.system_file`."""
        return self._style(name)

    def stat(self, path: PurePath) -> FileStat:
        """As `agent.host.Host.stat`."""
        return self._node(path).stat

    def stat_open(self, file: BinaryIO) -> FileStat:
        """As `agent.host.Host.stat_open`."""
        if not isinstance(file, _File):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return replace(file.stat, executable=False)

    def resolve(self, path: PurePath) -> PurePath:
        """As `agent.host.Host.resolve`."""
        found = self._resolved(path, _LINKS_MAX)
        if found not in self._nodes:
            raise _error(errno.ENOENT)
        return found

    def listdir(self, path: PurePath) -> tuple[str, ...]:
        """As `agent.host.Host.listdir`."""
        folder = self.resolve(path)
        node = self._nodes[folder]
        if not node.stat.is_dir:
            raise _error(errno.ENOTDIR)
        if not node.is_readable:
            raise _error(errno.EACCES)
        return tuple(sorted(other.name for other in self._nodes if other.parent == folder != other))

    def open(self, path: PurePath) -> BinaryIO:
        """As `agent.host.Host.open`."""
        node = self._node(path)
        if not node.stat.is_file:
            raise _error(errno.EINVAL)
        if not node.is_readable:
            raise _error(errno.EACCES)
        return _File(node)

    def read(self, path: PurePath, *, max_bytes: int) -> bytes:
        """As `agent.host.Host.read`."""
        with self.open(path) as file:
            data = file.read()
        if len(data) > max_bytes:
            raise _error(errno.EFBIG)
        return data

    def walk_path(self, entries: tuple[PurePath, ...], program: str) -> Iterator[PurePath]:
        """As `agent.host.Host.walk_path`."""
        for entry in entries:
            for suffix in self._suffixes:
                candidate = entry / (program + suffix)
                try:
                    stat = self.stat(candidate)
                except OSError:
                    continue
                if stat.is_file and stat.executable:
                    yield candidate

    def _node(self, path: PurePath) -> Node:
        return self._nodes[self.resolve(path)]

    def _resolved(self, path: PurePath, left: int) -> PurePath:
        found = self._style(path.anchor)
        parts = [part for part in path.parts if part != path.anchor]
        for at, part in enumerate(parts):
            found = found.parent if part == ".." else found / part
            node = self._nodes.get(found)
            if node is not None and node.link is not None:
                if left == 0:
                    raise _error(errno.ELOOP)
                rest = (found.parent / node.link).joinpath(*parts[at + 1 :])
                return self._resolved(rest, left - 1)
            if node is not None and at + 1 < len(parts) and not node.stat.is_dir:
                raise _error(errno.ENOTDIR)
        return found

    def _folder(self, path: PurePath) -> None:
        for folder in (path, *path.parents):
            self._nodes.setdefault(folder, Node(self._stat(is_dir=True)))

    def _stat(self, *, size: int = 0, is_file: bool = False, is_dir: bool = False) -> FileStat:
        number = len(self._nodes) + 1
        return FileStat(
            dev=1,
            inode=number,
            size=size,
            mtime_ns=_STAMP_NS,
            ctime_ns=_STAMP_NS,
            is_file=is_file,
            is_dir=is_dir,
            executable=is_dir,
        )

    def _add(self, path: PurePath, entry: Mapping[str, Any]) -> None:
        self._folder(path.parent)
        self._nodes[path] = self._made(entry)

    def _made(self, entry: Mapping[str, Any]) -> Node:
        if "link" in entry:
            return Node(self._stat(), link=self._style(entry["link"]))
        if "same" in entry:
            return self._nodes[self._style(entry["same"])]
        if "pipe" in entry:
            return Node(self._stat())
        is_readable = not entry.get("unreadable", False)
        if "folder" in entry:
            return Node(self._stat(is_dir=True), is_readable=is_readable)
        program = entry.get("program")
        data = program_bytes(**program) if program else entry.get("text", "").encode()
        stat = self._stat(size=len(data), is_file=True)
        executable = bool(program) or "x" in entry.get("mode", "") or self.system == "win32"
        return Node(replace(stat, executable=executable), data, is_readable=is_readable)


def recorded(text: str) -> RecordedHost:
    """The host of a recorded tree.

    Args:
        text: The tree's TOML.
    """
    return RecordedHost(tomllib.loads(text))


def program_bytes(
    platform: str,
    version: str,
    package: str = "@anthropic-ai/claude-code",
    commit: str = "0" * 40,
) -> bytes:
    """A file with the telling parts of a native build, and nothing that could run.

    Args:
        platform: As the build's ``platform``, ``linux-x64-musl`` and so on.
        version: What it says of itself.
        package: As above.
        commit: As above; empty for none, as before 2.1.114.
    """
    system, _, rest = platform.partition("-")
    arch, _, libc = rest.partition("-")
    head = {"linux": _elf, "darwin": _macho, "win32": _pe}[system](arch, libc)
    sha = f',GIT_SHA:"{commit}"' if commit else ""
    statement = (
        f'{{PACKAGE_URL:"{package}",README_URL:"https://code.claude.com/docs/en/overview",'
        f'VERSION:"{version}",FEEDBACK_CHANNEL:"https://github.com/anthropics/claude-code/issues",'
        f'BUILD_TIME:"2026-01-01T00:00:00Z"{sha}}}'
    )
    return head.ljust(4096, b"\0") + statement.encode() + bytes(512)


def _elf(arch: str, libc: str) -> bytes:
    machine = {"x64": 0x3E, "arm64": 0xB7}[arch]
    loader = f"/lib/ld-{libc}.so.1" if libc else "/lib64/ld-linux.so.2"
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = identity + struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(loader), len(loader), 1)
    return header + segment + loader.encode() + b"\0"


def _macho(arch: str, _: str) -> bytes:
    cpu = {"x64": 0x0100_0007, "arm64": 0x0100_000C}[arch]
    return b"\xcf\xfa\xed\xfe" + struct.pack("<I", cpu)


def _pe(arch: str, _: str) -> bytes:
    machine = {"x64": 0x8664, "arm64": 0xAA64}[arch]
    return (
        b"MZ".ljust(0x3C, b"\0")
        + struct.pack("<I", 0x80)
        + bytes(0x40)
        + b"PE\0\0"
        + struct.pack("<H", machine)
    )


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
