"""Copies that mise and asdf keep as a tool of their own (facts 1.1).

Each version has a folder, named by its number. What lies in it depends on where the
manager took it from: npm's package, or the program itself, in the folder or in its
``bin``. mise keeps links such as ``2`` and ``latest`` beside the numbers: one copy, under
several names. Packages of the Node.js versions that these managers keep are npm's.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.look import Look
from agent.discover.node import package
from agent.discover.node.managers import asdf_folder, is_claude_tool, mise_folder

_NAME = "version_manager"
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z][0-9A-Za-z-]{0,30})?\Z")


def find(site: Site) -> Found:
    """Every version of the tool under each manager, each folder once."""
    look = Look(site.host)
    copies: list[Copy] = []
    seen: set[tuple[int, int]] = set()
    for place, manager in (("mise", mise_folder(site)), ("asdf", asdf_folder(site))):
        installs = manager / "installs"
        for tool in look.names(installs, f"the tools of {place}"):
            if is_claude_tool(tool):
                copies += _tool(look, place, installs / tool, seen)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _tool(look: Look, place: str, folder: PurePath, seen: set[tuple[int, int]]) -> Iterator[Copy]:
    names = look.names(folder, f"the versions of {place}")
    # Numbers first: a link to one is seen by then.
    for name in sorted(names, key=lambda name: not _VERSION.match(name)):
        stat = look.stat(folder / name, "a version's folder")
        if stat is None or not stat.is_dir or stat.identity in seen:
            continue
        seen.add(stat.identity)
        yield from _version(look, place, folder / name)


def _version(look: Look, place: str, folder: PurePath) -> Iterator[Copy]:
    for modules in (folder / "lib" / "node_modules", folder / "node_modules"):
        inside = package.in_modules(modules)
        stat = look.stat(inside, "a package folder")
        if stat is not None and stat.is_dir:
            yield from package.copies(look, _NAME, place, inside)
            return
    suffix = ".exe" if look.host.system == "win32" else ""
    for program in (folder / "bin" / f"claude{suffix}", folder / f"claude{suffix}"):
        look.watch[program] = None
        stat = look.stat(program, "a version's program")
        if stat is not None and stat.is_file:
            claimed = folder.name if _VERSION.match(folder.name) else None
            yield Copy(_NAME, place, program, claimed=claimed)
            return
