"""Which of a manager's Node.js versions a new shell gets.

Read from the managers' own files: nvm's aliases, fnm's ``default`` link, and the version
files behind the shims of asdf, mise and nodenv.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from agent.discover.interface import Site
from agent.discover.look import Look
from agent.discover.node.managers import fnm_folders, is_claude_tool
from agent.host import Host

ALIAS_MAX_BYTES = 256
"""Longest alias file that is read."""

VERSION_FILE_MAX_BYTES = 64 * 1024
"""Longest version file that is read."""

_ALIAS_HOPS_MAX = 10
_NUMBERS = re.compile(r"v?(\d+(?:\.\d+){0,2})\Z")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._*-]{0,40}(?:/[A-Za-z0-9*][A-Za-z0-9._*-]{0,40})?\Z")
_NEWEST = frozenset({"node", "stable"})
_NODE = "node"
_CLAUDE = "claude"
_TOOL_LINE = re.compile(
    r"""
    ^[ \t]* ["']? (?:[a-z]+:)?
    (?: (?P<node> node(?:js)? ) | claude(?:-code)? | @?anthropics?(?:-ai)?/claude-code )
    ["']? [ \t=\["']+ v? (?P<version> latest | \d[\w.-]{0,40} )
    """,
    re.MULTILINE | re.VERBOSE,
)


def nvm_bin(look: Look, nvm: PurePath, wanted: str = "default") -> PurePath | None:
    """The ``bin`` folder that nvm puts first for an alias or a version.

    Source: github.com/nvm-sh/nvm, ``nvm_resolve_alias``, ``nvm_match_version``.
    """
    versions = nvm / "versions" / "node"
    name = _nvm_alias(look, nvm, wanted)
    numbers = _NUMBERS.match(name or "")
    if numbers is None and name not in _NEWEST:
        return None
    wanted_numbers = _numbers(numbers[1]) if numbers else ()
    fitting = [
        (found, folder)
        for folder in look.names(versions, "the Node.js versions of nvm")
        if (found := _installed(folder)) and found[: len(wanted_numbers)] == wanted_numbers
    ]
    return versions / max(fitting)[1] / "bin" if fitting else None


def fnm_bin(site: Site, look: Look) -> PurePath | None:
    """The ``bin`` folder of fnm's default version; None where none is set."""
    for fnm in fnm_folders(site):
        folder = fnm / "aliases" / "default" / "bin"
        look.watch[folder] = None
        if look.stat(folder, "fnm's default version"):
            return folder
    return None


def behind_shim(host: Host, shim: PurePath) -> tuple[PurePath, ...]:
    """The programs that a manager's shim of the same name can start.

    A shim lies in ``<manager>/shims``. Of each tool, the version that the user's global
    version file names comes alone; without one, all installed versions that have the
    program come, each file once: mise keeps links such as ``22`` and ``lts`` beside
    ``22.9.0``.
    """
    if shim.parent.name != "shims":
        return ()
    root = shim.parent.parent
    look = Look(host)
    found = list(_shimmed(look, root, shim.name))
    chosen = _chosen(look, root)
    named = {item.tool: item for item in reversed(found) if (item.tool, item.version) in chosen}
    return tuple({item.identity: item.program for item in named.values() or found}.values())


@dataclass(frozen=True)
class _Shimmed:
    tool: str
    version: str
    program: PurePath
    identity: tuple[int, int]


def _shimmed(look: Look, root: PurePath, name: str) -> Iterator[_Shimmed]:
    for tool, folder in _tool_folders(look, root):
        for version in look.names(folder, "a version manager's folder"):
            for program in (folder / version / "bin" / name, folder / version / name):
                stat = look.stat(program, "a version manager's program")
                if stat and stat.is_file:
                    yield _Shimmed(tool, version, program, stat.identity)


def _tool_folders(look: Look, root: PurePath) -> Iterator[tuple[str, PurePath]]:
    yield _NODE, root / "versions"
    installs = root / "installs"
    for name in look.names(installs, "a version manager's tools"):
        if name in {"nodejs", "node"}:
            yield _NODE, installs / name
        elif is_claude_tool(name):
            yield _CLAUDE, installs / name


def _chosen(look: Look, root: PurePath) -> frozenset[tuple[str, str]]:
    home = look.host.home
    files = (
        root / "version",
        home / ".tool-versions",
        home / ".config" / "mise" / "config.toml",
    )
    plain, *tables = [_text(look, file, VERSION_FILE_MAX_BYTES) for file in files]
    lines = (match for text in tables for match in _TOOL_LINE.finditer(text))
    return frozenset((_NODE, version) for version in plain.split()) | frozenset(
        (_NODE if match["node"] else _CLAUDE, match["version"]) for match in lines
    )


def _nvm_alias(look: Look, nvm: PurePath, name: str) -> str | None:
    for _ in range(_ALIAS_HOPS_MAX):
        if _NUMBERS.match(name) or not _ALIAS.match(name):
            return name
        text = _text(look, nvm / "alias" / PurePath(name), ALIAS_MAX_BYTES)
        if not text:
            return name
        name = text.partition("#")[0].strip()
    return None


def _text(look: Look, file: PurePath, max_bytes: int) -> str:
    data = look.read(file, "a version manager's settings", max_bytes=max_bytes)
    return (data or b"").decode("utf-8", "replace").strip()


def _installed(folder: str) -> tuple[int, ...]:
    found = _NUMBERS.match(folder)
    return _numbers(found[1]) if found and folder.startswith("v") else ()


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if len(part) <= 9)  # noqa: PLR2004
