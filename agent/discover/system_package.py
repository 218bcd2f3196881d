"""Copies that the system's package manager installed (facts 1.1, 1.2).

Which files a package owns is read out of the manager's own database, as files, and nothing is
run: dpkg's lists of files and ``status`` (dpkg-query(1)), apk's ``installed`` (the Alpine wiki,
"Apk spec"), pacman's ``local`` folder (alpm, "Local database"). The path of the program in the
vendor's packages is not known (facts 8), so any owned file of the name ``claude`` counts. The
Arch user repository's packages own a launcher script too, which is a name of the program that
it starts; they have names of their own that begin with ``claude-code``.

rpm keeps one database for all packages, which cannot be asked cheaply. There a program in the
folders that are left to packages (FHS 3.0: ``/usr`` without ``/usr/local``, and ``/opt``) is
taken for a package's if the search path leads to it, if no other manager has a database, and if
it does not lie as npm, Homebrew or a version manager would put it. Nothing claims its version.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath

from agent.discover import launcher
from agent.discover.interface import Copy, Found, Method, Site, on_host
from agent.discover.look import Look

PACKAGE_LIST_MAX_BYTES = 4 * 1024 * 1024
"""Largest list of one package's files that is read."""

DATABASE_MAX_BYTES = 32 * 1024 * 1024
"""Largest database of all packages that is read: dpkg's ``status``, apk's ``installed``."""

DAMAGED = "the package database: it is damaged"
"""The problem where a database is there and is not of its form."""

_NAME = "system_package"
_PROGRAM = "claude"
_PACKAGE = "claude-code"
_WHAT = "the package database"
_DPKG_LIST = re.compile(r"(?P<package>claude-code(?:-[a-z0-9.+-]{1,64})?)(?::[a-z0-9-]+)?\.list\Z")
_PACMAN_FOLDER = re.compile(r"claude-code(?:-[a-z0-9@._+-]{1,64})?-[^-]+-[^-]+\Z")
# An epoch before it and a revision behind it are the packager's.
_VERSION = re.compile(r"(?:[0-9]{1,9}:)?([0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9})(?![0-9.])")
# A field of dpkg's, or a letter of apk's.
_FIRST_LINE = re.compile(rb"(?:[A-Z][A-Za-z-]*|[A-Za-z]):")
_OTHERS = frozenset({"node_modules", "Caskroom", "installs"})
_DPKG = "/var/lib/dpkg"
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_PACMAN = "/var/lib/pacman/local"
_RPM = (
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/Packages",
)


def find(site: Site) -> Found:
    """The program in each package that a manager's database names."""
    look = Look(site.host)
    copies: list[Copy] = []
    if site.host.system == "linux":
        copies += [*_dpkg(look), *_apk(look), *_pacman(look)]
        copies += _rpm(site, look)
    return look.found(copies)


METHOD = Method(_NAME, find)


def _dpkg(look: Look) -> Iterator[Copy]:
    info = look.host.system_file(f"{_DPKG}/info")
    for name in look.names(info, _WHAT):
        found = _DPKG_LIST.match(name)
        if found is None:
            continue
        lines = _lines(look.read(info / name, _WHAT, max_bytes=PACKAGE_LIST_MAX_BYTES))
        if not lines[0].startswith("/"):
            look.problems[DAMAGED] = None
        elif owned := _programs(look, lines):
            status = look.host.system_file(f"{_DPKG}/status")
            facts = _paragraph(look, status, f"Package: {found['package']}")
            if not facts:
                look.problems[DAMAGED] = None
            yield from _copies(look, "dpkg", owned, _after(facts, "Version: "))


def _apk(look: Look) -> Iterator[Copy]:
    for name in _APK:
        facts = _paragraph(look, look.host.system_file(name), f"P:{_PACKAGE}")
        owned = []
        folder = ""
        for line in facts:
            if line.startswith("F:"):
                folder = line[2:]
            elif line == f"R:{_PROGRAM}":
                owned.append(f"/{folder}/{_PROGRAM}")
        yield from _copies(look, "apk", _programs(look, owned), _after(facts, "V:"))


def _paragraph(look: Look, database: PurePath, head: str) -> list[str]:
    """The lines of the paragraph that holds one line; none where it is not there."""
    data = look.read(database, _WHAT, max_bytes=DATABASE_MAX_BYTES)
    if data is None:
        return []
    if not _FIRST_LINE.match(data):
        look.problems[DAMAGED] = None
    # Searched as it is: split into lines, all packages would take many times its size.
    found = re.search(rb"(?m)^" + re.escape(head.encode()) + rb"$", data)
    if found is None:
        return []
    start, end = data.rfind(b"\n\n", 0, found.start()), data.find(b"\n\n", found.end())
    return _lines(data[max(start, 0) : len(data) if end < 0 else end])


def _after(facts: Iterable[str], word: str) -> str | None:
    found = next((line.removeprefix(word) for line in facts if line.startswith(word)), "")
    return _claimed(found)


def _pacman(look: Look) -> Iterator[Copy]:
    local = look.host.system_file(_PACMAN)
    for name in look.names(local, _WHAT):
        if not _PACMAN_FOLDER.match(name):
            continue
        facts, files = (
            _lines(look.read(local / name / part, _WHAT, max_bytes=PACKAGE_LIST_MAX_BYTES))
            for part in ("desc", "files")
        )
        if not _under(facts, "%VERSION%") or "%FILES%" not in files:
            look.problems[DAMAGED] = None
        owned = _programs(look, [f"/{line}" for line in files])
        yield from _copies(look, "pacman", owned, _claimed(_under(facts, "%VERSION%")))


def _under(lines: list[str], head: str) -> str:
    at = lines.index(head) + 1 if head in lines else len(lines)
    return lines[at] if at < len(lines) else ""


def _rpm(site: Site, look: Look) -> Iterator[Copy]:
    others = (f"{_DPKG}/status", *_APK, _PACMAN)
    if _any_there(look, others) or not _any_there(look, _RPM):
        return
    folders = (look.host.system_file("/usr/bin"), *site.path)
    programs = (path for path in look.host.walk_path(folders, _PROGRAM) if _is_packaged(look, path))
    yield from _copies(look, "rpm", dict.fromkeys(programs), None)


def _any_there(look: Look, names: Iterable[str]) -> bool:
    paths = [look.host.system_file(name) for name in names]
    look.watch.update(dict.fromkeys(paths))
    return any(look.stat(path, _WHAT) for path in paths)


def _is_packaged(look: Look, path: PurePath) -> bool:
    try:
        program = look.host.resolve(path)
    except OSError:
        return False
    usr, local, opt = map(look.host.system_file, ("/usr", "/usr/local", "/opt"))
    is_systems = program.is_relative_to(usr) and not program.is_relative_to(local)
    return (is_systems or program.is_relative_to(opt)) and _OTHERS.isdisjoint(program.parts)


def _programs(look: Look, names: Iterable[str]) -> dict[PurePath, None]:
    """The files of the program's name, as they lie on the host."""
    found = (on_host(look.host, name) for name in names if name.endswith(f"/{_PROGRAM}"))
    return {path: None for path in found if path is not None and _is_runnable(look, path)}


def _is_runnable(look: Look, path: PurePath) -> bool:
    look.watch[path] = None
    stat = look.stat(path, "a package's program")
    return stat is not None and stat.is_file and stat.executable


def _copies(
    look: Look, place: str, owned: Iterable[PurePath], claimed: str | None
) -> Iterator[Copy]:
    found: dict[PurePath, Copy] = {}
    for path in owned:
        launched = launcher.behind(look, path)
        if launched is not None and launched.changes(launcher.PACKAGERS):
            look.problems[launcher.ADDS] = None
        program = look.host.resolve(launched.program if launched and launched.program else path)
        copy = found.setdefault(program, Copy(_NAME, place, program, claimed=claimed))
        if path != program:
            found[program] = replace(copy, names=(*copy.names, path))
    yield from found.values()


def _claimed(version: str) -> str | None:
    found = _VERSION.match(version)
    return found[1] if found else None


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "replace").split("\n")
