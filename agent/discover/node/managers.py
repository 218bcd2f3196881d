"""Version managers: every Node.js that they keep, and so every global npm prefix.

Each Node.js version has global packages of its own (facts 1.1), so all are listed, not
only the one in use. The folders are the managers' documented ones, moved by their
documented variables.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from agent.discover.interface import Site
from agent.discover.look import Look


@dataclass(frozen=True)
class Prefix:
    """A global npm prefix.

    Attributes:
        place: Whose it is, as told on the wire: ``nvm``, ``global``, ...
        folder: Holds ``lib/node_modules`` (POSIX) or ``node_modules`` (Windows).
    """

    place: str
    folder: PurePath


def prefixes(site: Site, look: Look) -> Iterator[Prefix]:
    """One prefix for each Node.js version under each manager that is there."""
    for place, folder, inner in _folders(site):
        for name in look.names(folder, f"the Node.js versions of {place}"):
            if not name.startswith("."):
                yield Prefix(place, folder / name / inner)
    volta = volta_home(site)
    # Volta keeps each global package in a prefix of its own.
    packages = volta / "tools" / "image" / "packages"
    yield Prefix("volta", packages / "@anthropic-ai" / "claude-code")


def volta_home(site: Site) -> PurePath:
    """Volta's folder: ``VOLTA_HOME``, or its default (docs.volta.sh/advanced/installers)."""
    if site.host.system == "win32":
        default = _local_app_data(site) / "Volta"
    else:
        default = site.host.home / ".volta"
    return site.folder("VOLTA_HOME", default)


def _local_app_data(site: Site) -> PurePath:
    return site.folder("LOCALAPPDATA", site.host.home / "AppData" / "Local")


def _roaming(site: Site) -> PurePath:
    return site.folder("APPDATA", site.host.home / "AppData" / "Roaming")


def _folders(site: Site) -> Iterator[tuple[str, PurePath, str]]:
    """(place, folder of versions, where in a version the prefix is)."""
    home = site.host.home
    yield ("volta", volta_home(site) / "tools" / "image" / "node", "")
    for fnm in fnm_folders(site):
        yield ("fnm", fnm / "node-versions", "installation")
    if site.host.system == "win32":
        yield ("nvm", site.folder("NVM_HOME", _roaming(site) / "nvm"), "")
        return
    for nvm in nvm_folders(site):
        yield ("nvm", nvm / "versions" / "node", "")
    yield ("nodenv", site.folder("NODENV_ROOT", home / ".nodenv") / "versions", "")
    n_prefix = site.folder("N_PREFIX", site.host.system_file("/usr/local"))
    yield ("n", n_prefix / "n" / "versions" / "node", "")
    yield ("asdf", asdf_folder(site) / "installs" / "nodejs", "")
    yield ("mise", mise_folder(site) / "installs" / "node", "")


def mise_folder(site: Site) -> PurePath:
    """The data folder of mise (mise.jdx.dev/directories)."""
    default = site.host.home / ".local" / "share"
    if site.host.system == "win32":
        default = _local_app_data(site)
    return site.folder("MISE_DATA_DIR", site.folder("XDG_DATA_HOME", default) / "mise")


def asdf_folder(site: Site) -> PurePath:
    """The data folder of asdf (asdf-vm.com/manage/configuration, ``ASDF_DATA_DIR``)."""
    return site.folder("ASDF_DATA_DIR", site.host.home / ".asdf")


def is_claude_tool(name: str) -> bool:
    """Whether a manager's folder of that name may hold Claude Code itself.

    asdf's plugins and mise's short names begin with ``claude``; mise names a tool of a
    backend after both, as in ``npm-anthropic-ai-claude-code``.
    """
    return name.startswith("claude") or name.endswith("-claude-code")


def nvm_folders(site: Site) -> tuple[PurePath, ...]:
    """The folders of nvm, the one in force first (github.com/nvm-sh/nvm, "NVM_DIR")."""
    home = site.host.home
    config = site.folder("XDG_CONFIG_HOME", home / ".config") / "nvm"
    return _unique(site.folder("NVM_DIR", home / ".nvm"), home / ".nvm", config)


def fnm_folders(site: Site) -> tuple[PurePath, ...]:
    """The folders of fnm, the one in force first (github.com/Schniz/fnm, "FNM_DIR")."""
    home = site.host.home
    if site.host.system == "win32":
        default = _roaming(site) / "fnm"
    elif site.host.system == "darwin":
        default = home / "Library" / "Application Support" / "fnm"
    else:
        default = home / ".local" / "share" / "fnm"
    share = site.folder("XDG_DATA_HOME", home / ".local" / "share") / "fnm"
    return _unique(site.folder("FNM_DIR", share), share, default, home / ".fnm")


def _unique(*folders: PurePath) -> tuple[PurePath, ...]:
    return tuple(dict.fromkeys(folders))
