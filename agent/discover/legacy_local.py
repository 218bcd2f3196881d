"""The copy that Claude Code once moved into its own folder, ``~/.claude/local`` (facts 1.1).

npm's package lies there, in a package of the name ``claude-local``, and a script of two
lines starts it; an alias in the shell's start files leads to that script, which the search
path follows. A script of any other form is the user's own launcher.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Method, Site, on_host
from agent.discover.look import Look
from agent.discover.node import package
from agent.discover.node.shims import leads
from agent.host import FileStat

WRAPPER_MAX_BYTES = 8 * 1024
"""Largest launcher script that is read."""

_NAME = "legacy_local"
_WRAPPER = re.compile(r'#!/bin/(?:ba)?sh\r?\n\s*exec "?(?P<path>/[^"\r\n$`]+?)"? "\$@"\s*\Z')


def find(site: Site) -> Found:
    """The package in the folder, with the script that starts it."""
    look = Look(site.host)
    folder = site.host.home / ".claude" / "local"
    inside = package.in_modules(folder / "node_modules")
    look.watch[inside] = None
    stat = look.stat(inside, "a package folder")
    if stat is None or not stat.is_dir:
        return look.found([])
    copies = package.copies(look, _NAME, "local", inside)
    return look.found([_named(site, look, folder, copy) for copy in copies])


METHOD = Method(_NAME, find)


def _named(site: Site, look: Look, folder: PurePath, copy: Copy) -> Copy:
    stat = look.stat(copy.program, "a package's program")
    if stat is None:
        return copy
    return replace(copy, names=(*_starters(site, look, folder, stat), *copy.names))


def _starters(site: Site, look: Look, folder: PurePath, stat: FileStat) -> Iterator[PurePath]:
    bins = folder / "node_modules" / ".bin"
    for link in (bins / "claude", bins / "claude.cmd"):
        if leads(look, link, stat):
            yield link
    data = look.read(folder / "claude", "the local launcher", max_bytes=WRAPPER_MAX_BYTES)
    wrapper = _WRAPPER.match((data or b"").decode("utf-8", "replace"))
    path = on_host(site.host, wrapper["path"]) if wrapper else None
    if path is not None and look.leads_to(path, stat):
        yield folder / "claude"
