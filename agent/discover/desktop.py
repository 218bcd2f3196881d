"""Copies that the desktop app keeps for itself (facts 1.1).

The app downloads the version that it was built for into a folder named by its number, and
marks it with ``.verified`` when the download was whole. It starts the newest one so marked;
no variable and no update of another copy changes that (facts 5, #84823, #62720). With a
third-party provider it keeps a second folder. What it puts into its virtual machines runs
on no laptop, and is not looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from agent.discover.interface import DESKTOP, Copy, Found, Method, Site
from agent.discover.look import Look, age_order

_NAME = "desktop"
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9A-Za-z][0-9A-Za-z-]{0,30})?\Z")
_APPS = {"app": "Claude", "app-3p": "Claude-3p"}
_PROGRAMS = {
    "darwin": PurePath("claude.app", "Contents", "MacOS", "claude"),
    "win32": PurePath("claude.exe"),
}


@dataclass(frozen=True)
class _Version:
    number: str
    program: PurePath
    is_verified: bool


def find(site: Site) -> Found:
    """Every version in every folder of the app."""
    look = Look(site.host)
    copies: list[Copy] = []
    for data in dict.fromkeys(_data_folders(site, look)):
        for place, app in _APPS.items():
            copies += _copies(look, data / app / "claude-code", place)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _data_folders(site: Site, look: Look) -> Iterator[PurePath]:
    """Where the system keeps the data of apps.

    Sources: facts 1.1; electronjs.org/docs, ``app.getPath``, "appData"; for an app from the
    Windows store, whose folder the system moves, anthropics/claude-code#66778.
    """
    home = site.host.home
    if site.host.system == "darwin":
        yield home / "Library" / "Application Support"
    elif site.host.system == "linux":
        yield site.folder("XDG_CONFIG_HOME", home / ".config")
        yield home / ".config"
    else:
        yield site.folder("APPDATA", home / "AppData" / "Roaming")
        packages = site.folder("LOCALAPPDATA", home / "AppData" / "Local") / "Packages"
        for name in look.names(packages, "the folder of store apps"):
            if name.startswith("Claude_"):
                yield packages / name / "LocalCache" / "Roaming"


def _copies(look: Look, folder: PurePath, place: str) -> Iterator[Copy]:
    found = list(_versions(look, folder))
    verified = (each for each in found if each.is_verified)
    started = max(verified, key=lambda each: age_order(each.number), default=None)
    for each in found:
        starts = (DESKTOP,) if each is started else ()
        yield Copy(_NAME, place, each.program, claimed=each.number, starts=starts)


def _versions(look: Look, folder: PurePath) -> Iterator[_Version]:
    inner = _PROGRAMS.get(look.host.system, PurePath("claude"))
    for name in look.names(folder, "the desktop app's copies"):
        if not _VERSION.match(name):
            continue
        program, marker = folder / name / inner, folder / name / ".verified"
        look.watch.update(dict.fromkeys((program, marker)))
        stat = look.stat(program, "a copy of the desktop app")
        if stat and stat.is_file and stat.size:
            marked = look.stat(marker, "a mark of the desktop app")
            yield _Version(name, program, is_verified=marked is not None and marked.is_file)
