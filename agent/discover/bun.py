r"""Copies that bun installed globally (facts 1.1).

bun runs no install scripts of packages that the user does not trust, so the package's own
program may be npm's placeholder. Newer releases of bun link ``claude`` to the platform
package's program instead (seen with 1.4.5), older ones to the placeholder.
On Windows the launcher is a program of bun's own that reads a ``.bunx`` file beside it:
UTF-16 text that begins with the path of what it starts, up to a quotation mark
(github.com/oven-sh/bun, ``src/install/windows-shim/BinLinkingShim.zig``).
"""

from pathlib import PurePath, PureWindowsPath

from agent.discover.interface import Found, Method, Site
from agent.discover.look import Look
from agent.discover.node import installed
from agent.discover.node.package import SCOPE
from agent.discover.node.shims import leads
from agent.host import FileStat

BUNX_MAX_BYTES = 64 * 1024
"""Largest ``.bunx`` file that is read; its path has at most 32,767 characters."""

_NAME = "bun"


def find(site: Site) -> Found:
    """The package in bun's global folder."""
    look = Look(site.host)
    home = site.folder("BUN_INSTALL", site.host.home / ".bun")
    modules = home / "install" / "global" / "node_modules"

    def led(look: Look, launcher: PurePath, stat: FileStat) -> bool:
        return leads(look, launcher, stat) or _shim_leads(look, modules, launcher, stat)

    return installed.find(site, look, installed.Tool(_NAME, (modules,), (home / "bin",), led))


METHOD = Method(_NAME, find)


def _shim_leads(look: Look, modules: PurePath, launcher: PurePath, stat: FileStat) -> bool:
    if launcher.suffix != ".exe":
        return False
    beside = launcher.with_suffix(".bunx")
    data = look.read(beside, "bun's launcher", max_bytes=BUNX_MAX_BYTES)
    text, quote, _ = (data or b"").decode("utf-16-le", "replace").partition('"')
    parts = PureWindowsPath(text).parts
    if not quote or SCOPE not in parts or "\0" in text:
        return False
    # What the path is relative to differs between a project and the global folder.
    return look.leads_to(modules.joinpath(*parts[parts.index(SCOPE) :]), stat)
