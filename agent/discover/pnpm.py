"""Copies that pnpm installed globally (facts 1.1).

``pnpm add -g`` links the package out of a store; up to pnpm 10 under ``global/<number>``,
from pnpm 11 on under ``global/v<number>/<name>``, one folder for each global package. Its
launchers are scripts. From pnpm 10 on no install script is run unless the user allows it,
so the program may be npm's placeholder.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Found, Method, Site
from agent.discover.look import Look
from agent.discover.node import installed

_NAME = "pnpm"
_FLAT = re.compile(r"\d{1,3}\Z")
_NESTED = re.compile(r"v\d{1,3}\Z")


def find(site: Site) -> Found:
    """The package in each of pnpm's global folders."""
    look = Look(site.host)
    home = _home(site)
    tool = installed.Tool(_NAME, _modules(look, home / "global"), (home, home / "bin"))
    return installed.find(site, look, tool)


METHOD = Method(_NAME, find)


def _home(site: Site) -> PurePath:
    # pnpm 10's own code (getDataDir): PNPM_HOME, XDG_DATA_HOME, then the system's folder.
    home = site.host.home
    shares = {
        "win32": site.folder("LOCALAPPDATA", home / "AppData" / "Local"),
        "darwin": home / "Library",
    }
    share = shares.get(site.host.system, home / ".local" / "share")
    return site.folder("PNPM_HOME", site.folder("XDG_DATA_HOME", share) / "pnpm")


def _modules(look: Look, folder: PurePath) -> Iterator[PurePath]:
    what = "pnpm's global folder"
    for name in look.names(folder, what):
        if _FLAT.match(name):
            yield folder / name / "node_modules"
        elif _NESTED.match(name):
            for each in look.names(folder / name, what):
                yield folder / name / each / "node_modules"
