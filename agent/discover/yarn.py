"""Copies that yarn installed globally (facts 1.1).

Only yarn 1 has global packages. It knows systems but no C libraries, so it unpacks the
platform package of every C library: those that are not the program are at rest. Folders
are those of yarn 1.22.22's own code (``getDataDir``, ``getGlobalPrefix``).
"""

from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Found, Method, Site
from agent.discover.look import Look
from agent.discover.node import installed

_NAME = "yarn"


def find(site: Site) -> Found:
    """The package in each global folder of yarn."""
    look = Look(site.host)
    modules = (data / "global" / "node_modules" for data in _data_folders(site))
    return installed.find(site, look, installed.Tool(_NAME, modules, _launchers(site)))


METHOD = Method(_NAME, find)


def _data_folders(site: Site) -> Iterator[PurePath]:
    host = site.host
    if host.system == "win32":
        yield _windows(site) / "Data"
        return
    default = host.home / ".config"
    yield site.folder("XDG_DATA_HOME", default) / "yarn"
    yield default / "yarn"
    # The superuser's packages are the machine's.
    yield host.system_file("/usr/local/share/.config/yarn")


def _launchers(site: Site) -> tuple[PurePath, ...]:
    own = site.host.home / ".yarn" / "bin"
    if site.host.system == "win32":
        return (_windows(site) / "bin", own)
    return (own, site.host.system_file("/usr/local/bin"))


def _windows(site: Site) -> PurePath:
    return site.folder("LOCALAPPDATA", site.host.home / "AppData" / "Local") / "Yarn"
