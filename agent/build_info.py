"""What a program file says of itself, read without running it.

A native build carries its package name, version, build time and commit as plain text near
its end (facts 1.2), so the file is searched backwards, window by window, in constant
memory; its header tells the platform. A Windows program that lacks that text, being cut short,
still has its version resource. Up to 2.1.112 a build is a JavaScript file with its
version in a comment of its first lines. The file is a stranger's: every number read out of
it is checked before it is used, and a value of another form than the wire's is dropped.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Literal

from agent import version_resource
from agent.program_header import HEAD_BYTES, is_native, platform_of, read_at

WINDOW_BYTES = 4 * 1024 * 1024
"""How much is searched at a time, from the end backwards."""

_STATEMENT_MAX_BYTES = 1024
_CANDIDATES_MAX = 64

_ANCHOR = b'PACKAGE_URL:"'
# facts 1.2. The darwin and win32 builds hold other VERSION strings too: anchored.
_STATEMENT = re.compile(
    rb'PACKAGE_URL:"(?P<package>[^"]{1,100})",README_URL:"[^"]{0,200}",'
    rb'VERSION:"(?P<version>[^"]{1,64})",FEEDBACK_CHANNEL:"[^"]{0,200}",'
    rb'BUILD_TIME:"(?P<built>[^"]{1,40})"(?:,GIT_SHA:"(?P<commit>[0-9a-f]{40})")?'
)
_JS_VERSION = re.compile(rb"^// Version: (?P<version>[^\s]{1,64})\r?$", re.MULTILINE)
# nixpkgs writes the path of its own Node.js there (facts 1.1).
_JS_NODE = re.compile(rb"\A#!/(?:usr/bin/env|nix/store/)[^\n]{0,120}\bnode\b")

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}\Z")
_PACKAGE = re.compile(r"[@A-Za-z0-9][@A-Za-z0-9/._-]{0,99}\Z")
_BUILT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z\Z")


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
    head = read_at(file, 0, HEAD_BYTES)
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


def _native(file: BinaryIO, head: bytes) -> BuildInfo:
    found = _last_statement(file)
    platform = platform_of(file, head)
    if found is None:
        return BuildInfo(
            form="binary", platform=platform, version=version_resource.version(file, head)
        )
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


def _last_statement(file: BinaryIO) -> re.Match[bytes] | None:
    end = file.seek(0, 2)
    left = _CANDIDATES_MAX
    while end > 0 and left > 0:
        start = max(0, end - WINDOW_BYTES)
        # The overlap lets a statement that begins in this window end in the next one.
        window = read_at(file, start, end - start + _STATEMENT_MAX_BYTES)
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
