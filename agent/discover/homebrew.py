"""Copies that Homebrew's casks installed (facts 1.1).

Two casks, of which one is installed at a time: ``claude-code`` follows the stable channel,
``claude-code@latest`` the latest one. The cask's name is the place that is told, so that a
copy's channel is known. A cask keeps its program under its version's name, with a link in
Homebrew's ``bin`` folder.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.look import Look

CASKS = ("claude-code", "claude-code@latest")
"""The casks, by channel: ``stable``, ``latest``."""

_NAME = "homebrew"
_CASKROOM = "Caskroom"
_PREFIXES = ("/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z][0-9A-Za-z-]{0,30})?\Z")


def find(site: Site) -> Found:
    """Both casks under every prefix of Homebrew's, each folder once."""
    look = Look(site.host)
    copies: list[Copy] = []
    if site.host.system != "win32":
        for prefix in dict.fromkeys(_prefixes(site)):
            for cask in CASKS:
                copies += _versions(look, prefix, cask)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _prefixes(site: Site) -> Iterator[PurePath]:
    usual = [site.host.system_file(name) for name in _PREFIXES]
    yield site.folder("HOMEBREW_PREFIX", usual[0])
    yield from usual
    # A prefix of the user's own is known by what PATH starts out of it.
    for launcher in site.host.walk_path(site.path, "claude"):
        target = site.host.resolve(launcher)
        for folder in target.parents:
            if folder.name in CASKS and folder.parent.name == _CASKROOM:
                yield folder.parent.parent


def _versions(look: Look, prefix: PurePath, cask: str) -> Iterator[Copy]:
    launcher = prefix / "bin" / "claude"
    folder = prefix / _CASKROOM / cask
    for name in look.names(folder, "a cask's folder"):
        program = folder / name / "claude"
        # Homebrew keeps its own notes in .metadata.
        stat = None if name.startswith(".") else look.stat(program, "a cask's program")
        if stat is not None and stat.is_file:
            names = (launcher,) if look.leads_to(launcher, stat) else ()
            claimed = name if _VERSION.match(name) else None
            yield Copy(_NAME, cask, program, claimed=claimed, names=names)
