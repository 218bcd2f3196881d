"""Copies that npm installed globally, under every prefix that can be known (facts 1.1).

A prefix is known from npm's own settings, from the places where Node.js is usually put,
from version managers, and from the login shell's search path.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.look import Look
from agent.discover.node import package
from agent.discover.node.managers import Prefix, prefixes, volta_home
from agent.host import FileStat

PACKAGE_JSON_MAX_BYTES = package.PACKAGE_JSON_MAX_BYTES
"""Largest package description that is read."""

NPMRC_MAX_BYTES = 64 * 1024
"""Largest npm settings file that is read."""

_NAME = "npm"
_SHIMS = ("claude.cmd", "claude.ps1", "claude")
_PREFIX_LINE = re.compile(r"^[ \t]*prefix[ \t]*=[ \t]*(\S[^\r\n]{0,500})$", re.MULTILINE)
_HOME_START = re.compile(r"(?:~|\$\{HOME\}|\$HOME)(?=[/\\]|\Z)")


def find(site: Site) -> Found:
    """The package under every prefix, each package folder once."""
    look = Look(site.host)
    copies: list[Copy] = []
    seen: set[tuple[int, int]] = set()
    for prefix in all_prefixes(site, look):
        folder = package.in_modules(modules_of(site, prefix.folder))
        look.watch[folder] = None
        stat = look.stat(folder, "a package folder")
        if stat and stat.is_dir and stat.identity not in seen:
            seen.add(stat.identity)
            copies += _package(site, look, prefix, folder)
    return look.found(copies)


METHOD = Method(_NAME, find)


def npmrc_prefix(site: Site, look: Look) -> PurePath | None:
    """The prefix that the user set: ``NPM_CONFIG_PREFIX``, or ``prefix`` in ``~/.npmrc``.

    Source: docs.npmjs.com/cli/configuring-npm/npmrc, "Files" and environment expansion.
    """
    home = site.host.home
    for name in ("NPM_CONFIG_PREFIX", "npm_config_prefix"):
        if (folder := site.folder(name, home)) != home:
            return folder
    data = look.read(home / ".npmrc", "npm's user settings", max_bytes=NPMRC_MAX_BYTES)
    found = _PREFIX_LINE.search((data or b"").decode("utf-8", "replace"))
    if not found:
        return None
    value = found[1].strip().strip("\"'")
    folder = type(home)(_HOME_START.sub(lambda _: str(home), value))
    return folder if folder.is_absolute() else None


def all_prefixes(site: Site, look: Look) -> Iterator[Prefix]:
    """Every global prefix that can be known; the same folder may come more than once."""
    # A manager's name tells more than "global": it comes first and wins.
    yield from prefixes(site, look)
    user = npmrc_prefix(site, look)
    if user is not None:
        yield Prefix("global", user)
    for folder in _usual(site):
        yield Prefix("global", folder)
    for entry in site.path:
        if site.host.system == "win32":
            yield Prefix("global", entry)
        elif entry.name == "bin":
            yield Prefix("global", entry.parent)


def _usual(site: Site) -> Iterator[PurePath]:
    host = site.host
    if host.system == "win32":
        yield site.folder("APPDATA", host.home / "AppData" / "Roaming") / "npm"
        yield host.system_file("C:\\Program Files\\nodejs")
        yield host.system_file("C:\\nvm4w\\nodejs")
        return
    for name in (".npm-global", ".npm-packages", ".local"):
        yield host.home / name
    for name in ("/usr/local", "/usr", "/opt/homebrew", "/home/linuxbrew/.linuxbrew"):
        yield host.system_file(name)


def modules_of(site: Site, prefix: PurePath) -> PurePath:
    """Where npm puts a prefix's global packages.

    Source: docs.npmjs.com/cli/configuring-npm/folders.
    """
    if site.host.system == "win32":
        return prefix / "node_modules"
    return prefix / "lib" / "node_modules"


def _package(site: Site, look: Look, prefix: Prefix, folder: PurePath) -> Iterator[Copy]:
    for copy in package.copies(look, _NAME, prefix.place, folder):
        stat = look.stat(copy.program, "a package's program")
        if stat is None or copy.place == package.PAYLOAD:
            yield copy
        else:
            starters = tuple(_starters(site, look, prefix, stat))
            yield replace(copy, names=(*starters, *copy.names))


def _starters(site: Site, look: Look, prefix: Prefix, stat: FileStat) -> Iterator[PurePath]:
    if site.host.system == "win32":
        # npm writes these shims for its own package: they lead beside themselves.
        for name in _SHIMS:
            shim = prefix.folder / name
            if look.stat(shim, "a launcher"):
                yield shim
    elif look.leads_to(prefix.folder / "bin" / "claude", stat):
        yield prefix.folder / "bin" / "claude"
    # Volta's shims lead to the packages that it keeps itself, not into a Node.js version.
    if prefix.place == "volta" and prefix.folder.parent.name == package.SCOPE:
        shim = volta_home(site) / "bin" / "claude"
        if look.stat(shim, "a launcher"):
            yield shim
