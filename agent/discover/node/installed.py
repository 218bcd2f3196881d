"""What the global folder of pnpm, bun or yarn holds, and which launchers lead into it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Site
from agent.discover.look import Look
from agent.discover.node import package
from agent.discover.node.shims import leads
from agent.host import FileStat

Leads = Callable[[Look, PurePath, FileStat], bool]
"""Whether a launcher leads to the program of a `FileStat`."""


@dataclass(frozen=True)
class Tool:
    """A tool's global packages.

    Attributes:
        method: The method's name.
        modules: Its global ``node_modules`` folders; some may be missing.
        launchers: Folders into which it puts launchers, beside those on PATH.
        leads: How its launchers are followed.
    """

    method: str
    modules: Iterable[PurePath]
    launchers: tuple[PurePath, ...]
    leads: Leads = leads


def find(site: Site, look: Look, tool: Tool) -> Found:
    """The package in each global folder, each once, with the launchers that lead to it."""
    starters = tuple(_starters(site, tool))
    found: list[Copy] = []
    seen: set[tuple[int, int]] = set()
    for modules in tool.modules:
        folder = package.in_modules(modules)
        look.watch[folder] = None
        stat = look.stat(folder, "a package folder")
        if stat and stat.is_dir and stat.identity not in seen:
            seen.add(stat.identity)
            # Links into a store: the platform package lies beside the package there.
            real = site.host.resolve(folder)
            found += package.copies(look, tool.method, "global", real)
    return look.found([_named(look, copy, starters, tool.leads) for copy in found])


def _starters(site: Site, tool: Tool) -> Iterator[PurePath]:
    folders = dict.fromkeys((*tool.launchers, *site.path))
    yield from site.host.walk_path(tuple(folders), "claude")


def _named(look: Look, copy: Copy, starters: Iterable[PurePath], leads: Leads) -> Copy:
    stat = look.stat(copy.program, "a package's program")
    if stat is None:
        return copy
    names = (path for path in starters if path != copy.program and leads(look, path, stat))
    return replace(copy, names=tuple(dict.fromkeys((*names, *copy.names))))
