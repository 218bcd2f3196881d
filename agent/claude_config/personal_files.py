"""Files of a user's own that Claude Code reads: whether there are some of each kind (facts 3.3).

Memory, rules, output styles, agents, skills, commands and workflows are prompts: they are
listed, never opened, and neither their names nor their number is kept. A plugin is installed
when its folder is in the cache of its marketplace. Of the desktop app's file only the presence
of its servers is looked at. Project folders are not looked into.

State of a client that signs in elsewhere lies beside the usual one. It is no prompt and never
opened: that it is there says that another than the public client was here, or still is.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath

from agent.claude_config import documents
from agent.claude_config.sources import SETTINGS_MAX_BYTES, Files, Source
from agent.discover.interface import Site
from agent.host import Host

FOLDERS_MAX = 200
"""Most folders of one kind that are looked into: one that holds something is enough."""

_KINDS = {
    "agents": ".md",
    "commands": ".md",
    "output-styles": ".md",
    "rules": ".md",
    "workflows": ".js",
}
"""The kinds that are files of one ending, in a folder of that name."""

_APPS = ("Claude", "Claude-3p")
_ELSEWHERE = ("custom", "local", "staging")


def of_user(files: Files, folders: Sequence[PurePath]) -> list[Source]:
    """What the user has.

    Args:
        files: The pass over the host.
        folders: The configuration folders, the one in use first.
    """
    found = [source for folder in folders for source in _in_folder(files, folder)]
    found += _desktop_servers(files)
    homes = (*folders[:-1], files.host.home)
    return found + [source for home in homes for source in _signed_in_elsewhere(files, home)]


def of_organisation(files: Files) -> list[Source]:
    """What the organisation gives every user of the machine."""
    file = files.host.managed_settings / "CLAUDE.md"
    return [Source("managed", file, files=("memory",))] if _holds(files, "managed", file) else []


def _in_folder(files: Files, folder: PurePath) -> Iterator[Source]:
    memory = folder / "CLAUDE.md"
    if _holds(files, "user", memory):
        yield Source("user", memory, files=("memory",))
    for kind, ending in _KINDS.items():
        if any(name.endswith(ending) for name in _names(files, folder / kind)):
            yield Source("user", folder / kind, files=(kind,))
    skills = folder / "skills"
    if _has_skills(files, skills) or _has_skills(files, skills / "synced"):
        yield Source("user", skills, files=("skills",))
    plugins = folder / "plugins" / "cache"
    if any(_names(files, plugins / market) for market in _some(_names(files, plugins))):
        yield Source("user", plugins, files=("plugins",))


def _has_skills(files: Files, folder: PurePath) -> bool:
    names = _some(_names(files, folder))
    return any(_is_there(files.host, folder / name / "SKILL.md") for name in names)


def _desktop_servers(files: Files) -> Iterator[Source]:
    for app in _APPS:
        file = _desktop_folder(files.host) / app / "claude_desktop_config.json"
        if files.document("user", file, SETTINGS_MAX_BYTES, documents.has_servers):
            yield Source("user", file, files=("desktop-mcp-servers",))


def _desktop_folder(host: Host) -> PurePath:
    site = Site(host, variables=host.environment)
    if host.system == "darwin":
        return host.home / "Library" / "Application Support"
    if host.system == "win32":
        return site.folder("APPDATA", host.home / "AppData" / "Roaming")
    return site.folder("XDG_CONFIG_HOME", host.home / ".config")


def _signed_in_elsewhere(files: Files, home: PurePath) -> Iterator[Source]:
    for word in _ELSEWHERE:
        file = home / f".claude-{word}-oauth.json"
        files.watch.append(file)
        if _is_there(files.host, file):
            yield Source("state", file, files=(f"{word}-oauth-state",))


def _holds(files: Files, layer: str, file: PurePath) -> bool:
    files.watch.append(file)
    try:
        stat = files.host.stat(file)
    except OSError as error:
        files.failed(layer, error)
        return False
    return stat.is_file and stat.size > 0


def _is_there(host: Host, file: PurePath) -> bool:
    try:
        return host.stat(file).is_file
    except OSError:
        return False  # a name that is no folder, or nothing


def _names(files: Files, folder: PurePath) -> Sequence[str]:
    files.watch.append(folder)
    try:
        names = files.host.listdir(folder)
    except OSError as error:
        files.failed("user", error)
        return ()
    return [name for name in names if not name.startswith(".")]


def _some(names: Sequence[str]) -> Iterator[str]:
    return islice(names, FOLDERS_MAX)
