"""Copies of the native installer (facts 1.1).

It keeps each version as one file named by its number, and a launcher that is a link to one
of them; on Windows the launcher is a copy. A newer macOS layout keeps an application bundle
per version, and a copy with a stable path for background sessions. What an update left
half done is no copy: empty placeholders, ``*.tmp.*``, files that nobody may execute.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.look import Look
from agent.host import FileStat

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z][0-9A-Za-z-]{0,30})?\Z")
_BUNDLE = re.compile(r"(\d+\.\d+\.\d+[0-9A-Za-z-]{0,31})@[0-9a-f]{12}\.[0-9a-f]{8}\Z")
_IN_BUNDLE = ("Contents", "MacOS", "claude")
_NAME = "native"


def find(site: Site) -> Found:
    """The versions folder, the bundles, and the launcher that leads into one of them."""
    look = Look(site.host)
    copies: list[Copy] = []
    for data in _data_folders(site, look):
        copies += _versions(look, data / "versions", _launcher(site))
        copies += _bundles(look, data / "versions" / "bundles")
        copies += _background(look, data / "ClaudeCode.app" / PurePath(*_IN_BUNDLE))
    copies += _windows_launcher(look, _launcher(site))
    return look.found(copies)


METHOD = Method(_NAME, find)


def _launcher(site: Site) -> PurePath:
    name = "claude.exe" if site.host.system == "win32" else "claude"
    return site.host.home / ".local" / "bin" / name


def _data_folders(site: Site, look: Look) -> tuple[PurePath, ...]:
    default = site.host.home / ".local" / "share"
    folders = [site.folder("XDG_DATA_HOME", default) / "claude", default / "claude"]
    folders += _launched_from(look, _launcher(site))
    return tuple(dict.fromkeys(folders))


def _launched_from(look: Look, launcher: PurePath) -> Iterator[PurePath]:
    # The launcher knows a data folder that no variable names any more.
    look.watch[launcher] = None
    try:
        target = look.host.resolve(launcher)
    except OSError:
        return
    for folder in target.parents:
        if folder.name == "versions" and folder.parent.name == "claude":
            yield folder.parent


def _versions(look: Look, folder: PurePath, launcher: PurePath) -> Iterator[Copy]:
    for name in look.names(folder, "the versions folder"):
        stat = _runnable(look, folder / name) if _VERSION.match(name) else None
        if stat is not None:
            names = (launcher,) if look.leads_to(launcher, stat) else ()
            yield Copy(_NAME, "versions", folder / name, claimed=name, names=names)


def _bundles(look: Look, folder: PurePath) -> Iterator[Copy]:
    for name in look.names(folder, "the bundles folder"):
        program = folder / name / "claude.app" / PurePath(*_IN_BUNDLE)
        claimed = _BUNDLE.match(name)
        if claimed and _runnable(look, program):
            yield Copy(_NAME, "bundle", program, claimed=claimed[1])


def _background(look: Look, program: PurePath) -> Iterator[Copy]:
    look.watch[program] = None
    if _runnable(look, program):
        yield Copy(_NAME, "background", program)


def _windows_launcher(look: Look, launcher: PurePath) -> Iterator[Copy]:
    # Elsewhere a launcher that is no link into the versions folder is the user's own.
    if look.host.system == "win32" and _runnable(look, launcher):
        yield Copy(_NAME, "launcher", launcher)


def _runnable(look: Look, program: PurePath) -> FileStat | None:
    stat = look.stat(program, "a version's file")
    if stat is None or not stat.is_file or stat.size == 0:
        return None
    return stat if stat.executable or look.host.system == "win32" else None
