"""Copies out of the Nix store (facts 1.1).

A profile's ``bin/claude`` is a link into ``/nix/store/<hash>-claude-code-<version>``, where the
program lies behind wrappers that nixpkgs makes: shell scripts, or small compiled programs that
carry the command that made them as text (nixpkgs, ``make-wrapper.sh`` and
``make-binary-wrapper.sh``). Both are read, not run, until the program or ``cli.js`` is found;
what cannot be followed is not examined. nixpkgs patches what it packs, so the bytes are not the
public ones: the method says so, and nothing else does. Old versions in the store that no
profile leads to are Nix's own to collect, and are not looked for.
"""

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath

from agent import build_info
from agent.discover import launcher
from agent.discover.interface import Copy, Found, Method, Site
from agent.discover.launcher import Launched
from agent.discover.look import Look

WRAPPER_MAX_BYTES = 1024 * 1024
"""Largest compiled wrapper that is read; the smallest program has a hundred times as much."""

NOT_FOLLOWED = "what its Nix wrapper starts cannot be told"
"""The reason where the program behind a wrapper was not found."""

_NAME = "nix"
_HOPS_MAX = 5
_ITEM = re.compile(
    r"[0-9a-z]{32}-claude-code(?:-[a-z]+)*(?:-(\d+\.\d+\.\d+))?(?:-[0-9A-Za-z.]+)*\Z"
)
_MADE_BY = b"\nmakeCWrapper "
# The number of words that each option of makeCWrapper takes.
_OPTIONS = {
    "--add-flag": 1,
    "--add-flags": 1,
    "--append-flag": 1,
    "--append-flags": 1,
    "--argv0": 1,
    "--chdir": 1,
    "--inherit-argv0": 0,
    "--prefix": 3,
    "--resolve-argv0": 0,
    "--set": 2,
    "--set-default": 2,
    "--suffix": 3,
    "--unset": 1,
}
_PROFILES = (
    "/run/current-system/sw",
    "/nix/var/nix/profiles/default",
)


def find(site: Site) -> Found:
    """What each profile's link, and each on PATH, leads to in the store."""
    look = Look(site.host)
    names: dict[PurePath, list[PurePath]] = {}
    if site.host.system != "win32":
        for path in dict.fromkeys(_launchers(site)):
            look.watch[path] = None
            if look.stat(path, "a Nix profile's launcher"):
                names.setdefault(site.host.resolve(path), []).append(path)
    copies = [_copy(look, target, tuple(paths)) for target, paths in names.items()]
    return look.found([copy for copy in copies if copy is not None])


METHOD = Method(_NAME, find)


def _launchers(site: Site) -> Iterator[PurePath]:
    host = site.host
    state = site.folder("XDG_STATE_HOME", host.home / ".local" / "state")
    profiles = [host.home / ".nix-profile", state / "nix" / "profile"]
    profiles += map(host.system_file, (f"/etc/profiles/per-user/{host.home.name}", *_PROFILES))
    yield from (profile / "bin" / "claude" for profile in profiles)
    yield from host.walk_path(site.path, "claude")


def _copy(look: Look, target: PurePath, paths: tuple[PurePath, ...]) -> Copy | None:
    launched = _behind(look, target)
    program = launched.program if launched and launched.program else target
    items = [item for item in (_item(look, path) for path in (program, target)) if item]
    if not items:
        return None
    if launched and launched.changes(launcher.PACKAGERS):
        look.problems[launcher.ADDS] = None
    claimed = next((item[1] for item in items if item[1]), None)
    names = dict.fromkeys(path for path in (*paths, target) if path != program)
    problem = None if _is_program(look, program) else NOT_FOLLOWED
    return Copy(_NAME, "store", program, claimed=claimed, names=tuple(names), problem=problem)


def _item(look: Look, path: PurePath) -> re.Match[str] | None:
    """What the store item that a path lies in is called, if it is Claude Code's."""
    store = look.host.system_file("/nix/store")
    if not path.is_relative_to(store) or path == store:
        return None
    return _ITEM.match(path.relative_to(store).parts[0])


def _behind(look: Look, target: PurePath) -> Launched | None:
    found = None
    for _ in range(_HOPS_MAX):
        step = launcher.read(look, target) or _compiled(look, target)
        if step is None or step.program is None:
            break
        found = launcher.joined(found, step)
        target = step.program
    return found


def _compiled(look: Look, wrapper: PurePath) -> Launched | None:
    """What a compiled wrapper starts, by the command that made it; None if it is none."""
    made_by = _small(look, wrapper).partition(_MADE_BY)[2].partition(b"\n\n")[0]
    try:
        words = shlex.split(made_by.decode("utf-8").replace("\\\n", " "))
    except ValueError:
        return None
    return _made(look, words) if words else None


def _made(look: Look, words: list[str]) -> Launched | None:
    given, added, names = [words[0]], [], set()
    at = 1
    while at < len(words):
        option, count = words[at], _OPTIONS.get(words[at])
        values = words[at + 1 : at + 1 + (count or 0)]
        if count is None or len(values) < count:
            return None
        if option.startswith("--add"):
            given += values[0].split()
        elif option.startswith("--append"):
            added += values[0].split()
        elif option in {"--set", "--set-default", "--unset", "--prefix", "--suffix"}:
            names.add(values[0])
        at += 1 + count
    program, rest = launcher.run_by(look.host, given)
    if program is None or not launcher.may_start(look, program):
        return None
    adds = launcher.adds([*rest, *added, launcher.GIVEN])
    return Launched(program, frozenset(names), adds)


def _is_program(look: Look, path: PurePath) -> bool:
    """Whether a file is large enough to be the program, or says that it is."""
    stat = look.stat(path, "a program of the Nix store")
    if stat is None or stat.size > WRAPPER_MAX_BYTES:
        return stat is not None
    return build_info.read(io.BytesIO(_small(look, path))).version is not None


def _small(look: Look, path: PurePath) -> bytes:
    stat = look.stat(path, "a Nix wrapper")
    if stat is None or not stat.is_file or stat.size > WRAPPER_MAX_BYTES:
        return b""
    return look.read(path, "a Nix wrapper", max_bytes=WRAPPER_MAX_BYTES) or b""
