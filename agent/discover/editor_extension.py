"""Copies that the extension of a VS Code-family editor brings along (facts 1.1).

Each version of the extension is a folder with a native program of that version in it, and
several may lie side by side: an update leaves the old one until a later start removes it.
The editor starts the version that its own list of installed extensions names, unless it
has marked that folder for removal (facts 5, #50408: the copy drifts from the terminal's).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from agent.discover.interface import EDITOR, Copy, Found, Method, Site
from agent.discover.look import Look, age_order

LIST_MAX_BYTES = 1024 * 1024
"""Largest list of installed or obsolete extensions that is read."""

_NAME = "editor_extension"
_ID = "anthropic.claude-code"
_FOLDER = re.compile(
    r"anthropic\.claude-code-([0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9})(?:-[a-z0-9]+){0,2}\Z",
    re.IGNORECASE,
)
_EDITORS = (
    "vscode",
    "vscode-insiders",
    "vscode-oss",
    "vscode-server",
    "vscode-server-insiders",
    "cursor",
    "cursor-server",
    "windsurf",
    "windsurf-server",
    "antigravity",
    "antigravity-ide",
    "kiro",
    "trae",
    "positron",
)
_NOT_A_LIST = "an editor's list of extensions: it is not such a list"


@dataclass(frozen=True)
class _Extension:
    folder: PurePath
    version: str

    @property
    def key(self) -> str:
        # Editors write these names in lower case, and compare them without regard to it.
        return self.folder.name.lower()


def find(site: Site) -> Found:
    """The extension in each editor's folder of extensions."""
    look = Look(site.host)
    copies: list[Copy] = []
    for place, folder in _roots(site).items():
        copies += _extensions(look, folder, place)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _roots(site: Site) -> dict[str, PurePath]:
    """The folder of extensions of each editor, by its place.

    Sources: facts 1.1; github.com/microsoft/vscode, ``environmentService.ts``,
    ``extensionsPath`` (``VSCODE_EXTENSIONS``).
    """
    home = site.host.home
    roots = {name: home / f".{name}" / "extensions" for name in _EDITORS}
    roots["vscode"] = site.folder("VSCODE_EXTENSIONS", roots["vscode"])
    share = site.folder("XDG_DATA_HOME", home / ".local" / "share")
    return {**roots, "code-server": share / "code-server" / "extensions"}


def _extensions(look: Look, root: PurePath, place: str) -> Iterator[Copy]:
    found = [
        _Extension(root / name, match[1])
        for name in look.names(root, "an editor's extensions")
        if (match := _FOLDER.match(name))
    ]
    started = _started(look, root, found) if found else None
    for each in found:
        yield from _copy(look, each, place, starts=(EDITOR,) if each is started else ())


def _copy(look: Look, each: _Extension, place: str, *, starts: tuple[str, ...]) -> Iterator[Copy]:
    name = "claude.exe" if look.host.system == "win32" else "claude"
    program = each.folder / "resources" / "native-binary" / name
    look.watch[program] = None
    stat = look.stat(program, "an extension's program")
    if stat and stat.is_file:
        yield Copy(_NAME, place, program, claimed=each.version, starts=starts)
    elif starts:
        # What the editor starts instead, nobody can tell from here.
        problem = "the extension has no program file"
        yield Copy(_NAME, place, program, claimed=each.version, problem=problem, starts=starts)


def _started(look: Look, root: PurePath, found: list[_Extension]) -> _Extension | None:
    obsolete = _obsolete(look, root)
    kept = [each for each in found if each.key not in obsolete]
    listed = _listed(look, root)
    named = [each for each in kept if each.key in listed]
    # One that only another profile of the editor lists is installed all the same.
    return max(named or kept, key=lambda each: age_order(each.version), default=None)


def _obsolete(look: Look, root: PurePath) -> frozenset[str]:
    """Folders that the editor removes at a later start."""
    found = _json(look, root / ".obsolete")
    if not isinstance(found, dict):
        return frozenset()
    return frozenset(name.lower() for name, marked in found.items() if marked is True)


def _listed(look: Look, root: PurePath) -> frozenset[str]:
    """Folders of the extension that the editor lists as installed."""
    found = _json(look, root / "extensions.json")
    entries = found if isinstance(found, list) else []
    folders = (_folder(entry) for entry in entries if isinstance(entry, dict))
    return frozenset(folder.lower() for folder in folders if folder)


def _folder(entry: dict[str, object]) -> str | None:
    identifier = entry.get("identifier")
    name = identifier.get("id") if isinstance(identifier, dict) else None
    folder = entry.get("relativeLocation")
    is_ours = isinstance(name, str) and name.lower() == _ID
    return folder if is_ours and isinstance(folder, str) else None


def _json(look: Look, file: PurePath) -> object:
    data = look.read(file, "an editor's list of extensions", max_bytes=LIST_MAX_BYTES)
    if data is None:
        return None
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list | dict):
        look.problems[_NOT_A_LIST] = None
    return found
