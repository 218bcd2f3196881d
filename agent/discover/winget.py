r"""Copies that WinGet installed (facts 1.1).

The package is a portable one: a program in a folder that begins with the package's name,
and a link to it in ``WinGet\Links``. Where links are not allowed, WinGet puts the program's
own folder on PATH. Installed for all users, both lie in the programs folder
(github.com/microsoft/winget-cli, the specification of issue 182).
"""

from collections.abc import Iterator
from pathlib import PurePath

from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.look import Look

_NAME = "winget"
_PACKAGE = "anthropic.claudecode_"
_PROGRAM = "claude.exe"


def find(site: Site) -> Found:
    """The package's folders, the user's own and those of all users."""
    look = Look(site.host)
    copies: list[Copy] = []
    if site.host.system == "win32":
        for place, winget in _folders(site):
            copies += _packages(look, place, winget)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _folders(site: Site) -> Iterator[tuple[str, PurePath]]:
    local = site.folder("LOCALAPPDATA", site.host.home / "AppData" / "Local")
    yield ("user", local / "Microsoft" / "WinGet")
    programs = site.host.system_file("C:\\Program Files")
    yield ("machine", site.folder("ProgramFiles", programs) / "WinGet")


def _packages(look: Look, place: str, winget: PurePath) -> Iterator[Copy]:
    launcher = winget / "Links" / _PROGRAM
    folder = winget / "Packages"
    for name in look.names(folder, "WinGet's packages folder"):
        if not name.lower().startswith(_PACKAGE):
            continue
        program = folder / name / _PROGRAM
        look.watch[program] = None
        stat = look.stat(program, "a WinGet package's program")
        if stat is not None and stat.is_file:
            names = (launcher,) if look.leads_to(launcher, stat) else ()
            yield Copy(_NAME, place, program, names=names)
