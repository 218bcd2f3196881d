"""What a program file says of itself, read without running it.

A native build carries its package name, version, build time and commit as plain text near
its end (facts 1.2), so the file is searched backwards, window by window, in constant
memory; its header tells the platform. Up to 2.1.112 a build is a JavaScript file with its
version in a comment of its first lines. The file is a stranger's: every number read out of
it is checked before it is used, and a value of another form than the wire's is dropped.
"""

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

HEAD_BYTES = 2048
"""How much of the start is looked at: headers, and the version line of ``cli.js``."""

WINDOW_BYTES = 4 * 1024 * 1024
"""How much is searched at a time, from the end backwards."""

_STATEMENT_MAX_BYTES = 1024
_CANDIDATES_MAX = 64
_INTERPRETER_MAX_BYTES = 256
_ELF_SEGMENTS_MAX = 64

_ANCHOR = b'PACKAGE_URL:"'
# facts 1.2. The darwin and win32 builds hold other VERSION strings too: anchored.
_STATEMENT = re.compile(
    rb'PACKAGE_URL:"(?P<package>[^"]{1,100})",README_URL:"[^"]{0,200}",'
    rb'VERSION:"(?P<version>[^"]{1,64})",FEEDBACK_CHANNEL:"[^"]{0,200}",'
    rb'BUILD_TIME:"(?P<built>[^"]{1,40})"(?:,GIT_SHA:"(?P<commit>[0-9a-f]{40})")?'
)
_JS_VERSION = re.compile(rb"^// Version: (?P<version>[^\s]{1,64})\r?$", re.MULTILINE)
_JS_NODE = re.compile(rb"\A#!/usr/bin/env[^\n]{0,60}\bnode\b")

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\Z")
_PACKAGE = re.compile(r"[@A-Za-z0-9][@A-Za-z0-9/._-]{0,99}\Z")
_BUILT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z")

_ELF_ARCHES = {0x3E: "x64", 0xB7: "arm64"}
_MACHO_ARCHES = {0x0100_0007: "x64", 0x0100_000C: "arm64"}
_PE_ARCHES = {0x8664: "x64", 0xAA64: "arm64"}
_ELF_INTERPRETER = 3
_JAVA_VERSION_MIN = 45


@dataclass(frozen=True)
class BuildInfo:
    """What the bytes say of themselves.

    Attributes:
        form: ``binary`` or ``js``; None when the file is neither.
        version: None where none was found.
        platform: ``linux-x64-musl`` and so on; None for ``js`` and unknown headers.
        commit: 40 hex digits, from 2.1.114 to 2.1.116 on.
        package: The package name in the bytes.
        built: When it was built, ISO 8601, UTC.
        reason: Why `form` is None.
    """

    form: Literal["binary", "js"] | None = None
    version: str | None = None
    platform: str | None = None
    commit: str | None = None
    package: str | None = None
    built: str | None = None
    reason: str | None = None


def read(file: BinaryIO) -> BuildInfo:
    """What an open program file says of itself; its position is left anywhere.

    Raises:
        OSError: It cannot be read.
    """
    head = _at(file, 0, HEAD_BYTES)
    if not head:
        return BuildInfo(reason="the file is empty")
    if is_native(head):
        return _native(file, head)
    line = _JS_VERSION.search(head)
    if line and _JS_NODE.match(head):
        return BuildInfo(form="js", version=_fit(_VERSION, line["version"]))
    if b"\0" not in head:
        return BuildInfo(reason="the launcher is a script")
    return BuildInfo(reason="the file is no program of a known form")


def is_native(head: bytes) -> bool:
    """Whether a file that begins so is a native program of any system."""
    return (
        head.startswith((b"\x7fELF", b"MZ"))
        or head[:4] in {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"}
        or _is_universal(head)
    )


def _native(file: BinaryIO, head: bytes) -> BuildInfo:
    found = _last_statement(file)
    platform = _platform(file, head)
    if found is None:
        return BuildInfo(form="binary", platform=platform)
    return BuildInfo(
        form="binary",
        version=_fit(_VERSION, found["version"]),
        platform=platform,
        commit=found["commit"].decode("ascii") if found["commit"] else None,
        package=_fit(_PACKAGE, found["package"]),
        built=_fit(_BUILT, found["built"]),
    )


def _fit(form: re.Pattern[str], value: bytes) -> str | None:
    text = value.decode("ascii", "replace")
    return text if form.match(text) else None


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    chunks = []
    while size and (chunk := file.read(size)):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _last_statement(file: BinaryIO) -> re.Match[bytes] | None:
    end = file.seek(0, 2)
    left = _CANDIDATES_MAX
    while end > 0 and left > 0:
        start = max(0, end - WINDOW_BYTES)
        # The overlap lets a statement that begins in this window end in the next one.
        window = _at(file, start, end - start + _STATEMENT_MAX_BYTES)
        found, left = _last_in(window, end - start, left)
        if found:
            return found
        # An anchor cut by the window's start must lie whole in the one before.
        end = start + len(_ANCHOR) - 1 if start else 0
    return None


def _last_in(window: bytes, end: int, left: int) -> tuple[re.Match[bytes] | None, int]:
    while left > 0 and (end := window.rfind(_ANCHOR, 0, end)) >= 0:
        left -= 1
        # rfind looks for anchors that end before `end`, so each is tried once.
        found = _STATEMENT.match(window, end, end + _STATEMENT_MAX_BYTES)
        if found:
            return found, left
        end += len(_ANCHOR) - 1
    return None, left


def _platform(file: BinaryIO, head: bytes) -> str | None:
    try:
        if head.startswith(b"\x7fELF"):
            return _elf(file, head)
        if head.startswith(b"MZ"):
            return _pe(file, head)
        return _macho(head)
    except struct.error:
        # A header cut short says nothing.
        return None


def _elf(file: BinaryIO, head: bytes) -> str | None:
    # elf(5): 64 bits, little endian; e_machine at 18, program headers by e_phoff at 32.
    if head[4:6] != b"\x02\x01":
        return None
    arch = _ELF_ARCHES.get(struct.unpack_from("<H", head, 18)[0])
    interpreter = _elf_interpreter(file, head)
    if arch is None or interpreter is None:
        return None
    return f"linux-{arch}-musl" if b"musl" in interpreter else f"linux-{arch}"


def _elf_interpreter(file: BinaryIO, head: bytes) -> bytes | None:
    (offset,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    if size < 40 or offset > 2**62:  # noqa: PLR2004 - elf(5): p_filesz ends at 40
        return None
    table = _at(file, offset, size * min(count, _ELF_SEGMENTS_MAX))
    for start in range(0, len(table) - 39, size):
        (kind,) = struct.unpack_from("<I", table, start)
        (where,) = struct.unpack_from("<Q", table, start + 8)
        if kind == _ELF_INTERPRETER and where < 2**62:
            return _at(file, where, _INTERPRETER_MAX_BYTES).partition(b"\0")[0]
    return None


def _macho(head: bytes) -> str | None:
    # <mach-o/loader.h>, <mach-o/fat.h>: cputype at 4; a fat header is big endian.
    if _is_universal(head):
        return "darwin-universal"
    if not head.startswith(b"\xcf\xfa\xed\xfe"):
        return None
    arch = _MACHO_ARCHES.get(struct.unpack_from("<I", head, 4)[0])
    return arch and f"darwin-{arch}"


def _is_universal(head: bytes) -> bool:
    # Java classes share the magic number, and have their version where the count is.
    count = int.from_bytes(head[4:8], "big")
    return head.startswith(b"\xca\xfe\xba\xbe") and 0 < count < _JAVA_VERSION_MIN


def _pe(file: BinaryIO, head: bytes) -> str | None:
    # PE format, section 2 and 3: e_lfanew at 0x3c leads to "PE\0\0", then Machine.
    (offset,) = struct.unpack_from("<I", head, 0x3C)
    header = _at(file, offset, 6)
    if not header.startswith(b"PE\0\0"):
        return None
    arch = _PE_ARCHES.get(struct.unpack_from("<H", header, 4)[0])
    return arch and f"win32-{arch}"
