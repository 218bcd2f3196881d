"""The Python environments of a user, and their folders of packages.

Those that the agent's settings name, and those that usual tools keep in usual places:
pip's user site, pipx, uv's tools, pyenv's versions, a ``venv`` in the home. An environment
inside a project is never looked for: project folders are the user's own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from agent.discover.interface import Site
from agent.discover.look import Look

ENVIRONMENTS_MAX = 200
"""Most folders of packages that are looked into."""

TOO_MANY = "the Python environments: there are too many"

_WHAT = "a Python environment"
_PYTHON = re.compile(r"python3\.[0-9]{1,3}t?\Z")
_FRAMEWORK = re.compile(r"3\.[0-9]{1,3}\Z")
_WINDOWS_USER = re.compile(r"Python3[0-9]{1,3}(?:-[0-9]{1,3})?\Z")


@dataclass(frozen=True)
class Packages:
    """A folder into which Python packages are installed.

    Attributes:
        place: Whose it is, as told on the wire: ``pipx``, ``venv``, ...; never a name.
        folder: Holds the packages.
    """

    place: str
    folder: PurePath


def packages(site: Site, look: Look) -> Iterator[Packages]:
    """Every folder of packages, each once, in a fixed order; at most `ENVIRONMENTS_MAX`."""
    seen: set[tuple[int, int]] = set()
    for each in _all(site, look):
        stat = look.stat(each.folder, "a folder of Python packages")
        if stat is None or not stat.is_dir or stat.identity in seen:
            continue
        if len(seen) == ENVIRONMENTS_MAX:
            look.problems[TOO_MANY] = None
            return
        seen.add(stat.identity)
        yield each


def _all(site: Site, look: Look) -> Iterator[Packages]:
    # What the user named comes first: it is never the one that does not fit.
    for folder in site.environments:
        yield from _inside(look, "named", folder)
        yield Packages("named", folder)
    yield from _user_site(site, look)
    for name in (".venv", "venv"):
        yield from _inside(look, "venv", site.host.home / name)
    for place, parent in _parents(site):
        for name in look.names(parent, f"the Python environments of {place}"):
            if not name.startswith("."):
                yield from _inside(look, place, parent / name)


def _inside(look: Look, place: str, environment: PurePath) -> Iterator[Packages]:
    """The folders of packages of one environment (docs.python.org/3/library/venv.html)."""
    if look.host.system == "win32":
        yield Packages(place, environment / "Lib" / "site-packages")
        return
    library = environment / "lib"
    for name in look.names(library, _WHAT):
        if _PYTHON.match(name):
            yield Packages(place, library / name / "site-packages")


def _user_site(site: Site, look: Look) -> Iterator[Packages]:
    """Pip's user site (docs.python.org/3/library/site.html, "USER_SITE", "USER_BASE")."""
    host = site.host
    if host.system == "win32":
        roaming = site.folder("APPDATA", host.home / "AppData" / "Roaming")
        base = site.folder("PYTHONUSERBASE", roaming / "Python")
        for name in look.names(base, _WHAT):
            if _WINDOWS_USER.match(name):
                yield Packages("user-site", base / name / "site-packages")
        return
    base = site.folder("PYTHONUSERBASE", host.home / ".local")
    yield from _inside(look, "user-site", base)
    if host.system == "darwin":
        framework = host.home / "Library" / "Python"
        for name in look.names(framework, _WHAT):
            if _FRAMEWORK.match(name):
                folder = framework / name / "lib" / "python" / "site-packages"
                yield Packages("user-site", folder)


def _parents(site: Site) -> Iterator[tuple[str, PurePath]]:
    """(place, folder whose folders are environments).

    Sources: pipx.pypa.io/latest/how-to/configure-paths; docs.astral.sh/uv/reference/storage
    and astral-sh/uv#7008; github.com/pyenv/pyenv and pyenv-win, "PYENV_ROOT".
    """
    home = site.host.home
    share = site.folder("XDG_DATA_HOME", home / ".local" / "share")
    pipx = [share / "pipx", home / ".local" / "pipx"]
    uv = [share / "uv"]
    pyenv = site.folder("PYENV_ROOT", home / ".pyenv")
    if site.host.system == "win32":
        pipx += [home / "pipx", home / "AppData" / "Local" / "pipx" / "pipx"]
        roaming = site.folder("APPDATA", home / "AppData" / "Roaming")
        uv = [roaming / "uv", roaming / "uv" / "data"]
        pyenv = site.folder("PYENV_ROOT", home / ".pyenv" / "pyenv-win")
    elif site.host.system == "darwin":
        pipx.append(home / "Library" / "Application Support" / "pipx")
    for folder in dict.fromkeys((site.folder("PIPX_HOME", pipx[0]), *pipx)):
        yield ("pipx", folder / "venvs")
    tools = [folder / "tools" for folder in uv]
    for folder in dict.fromkeys((site.folder("UV_TOOL_DIR", tools[0]), *tools)):
        yield ("uv-tool", folder)
    yield ("pyenv", pyenv / "versions")
