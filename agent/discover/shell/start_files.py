"""Which start files a terminal's login shell reads, in which order.

Sources: bash(1) "Invocation", zsh(1) "Startup/Shutdown files", fish(1), pam_env(8) for
``/etc/environment``, path_helper(8) for macOS. On macOS a terminal opens a login shell; on
Linux it usually opens a plain one inside a login session: bash then reads ``.bashrc`` once
more, after whatever ``.profile`` did, and that one is what counts.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from agent.discover.interface import on_host
from agent.discover.look import Look
from agent.discover.shell import fish, known
from agent.discover.shell.globs import UNKNOWN
from agent.discover.shell.run import Runner
from agent.discover.shell.state import State
from agent.host import Host

ENVIRONMENT_MAX_BYTES = 64 * 1024
"""Largest ``/etc/environment`` that is read."""

LINUX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What login(1) gives where no file says otherwise."""

DARWIN_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
"""What launchd gives; path_helper(8) adds to it."""

_ENVIRONMENT_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(.*)$", re.MULTILINE)
_OWN = {
    "bash": ("BASH_VERSION", "BASH", "UID", "EUID", "HOSTNAME"),
    "zsh": ("ZSH_VERSION", "ZSH_NAME", "UID", "EUID", "HOST"),
}
_INHERITED = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "TERM", "LANG")


@dataclass(frozen=True)
class HandedOn:
    """What a fresh login shell hands on to the programs that it starts.

    Attributes:
        by_file: The files that set it, the last one read first, and what each sets: None where
            only the shell itself knows the value, empty where a variable was taken out.
        followed: The files that it reads, in order, sourced ones too. Some may be missing: they
            are what it would read if they were there.
    """

    by_file: tuple[tuple[PurePath, Mapping[str, str | None]], ...] = ()
    followed: tuple[PurePath, ...] = ()


def handed_on(host: Host) -> HandedOn:
    """What the start files of a login shell come to, for programs; nothing on Windows."""
    if host.system == "win32":
        return HandedOn()
    state = follow(host, Look(host))
    files = tuple(state.followed)
    found = state.exports.by_file(state.variables)
    return HandedOn(tuple((file, found[file]) for file in reversed(files) if file in found), files)


def follow(host: Host, look: Look) -> State:
    """The state of a fresh login shell, as far as its start files tell it."""
    shell = host.login_shell
    state = State(host, look, shell, _first_variables(host, shell))
    _environment_file(state)
    if host.system == "darwin":
        state.variables["PATH"] = known.path_helper(state.site(), look, state.variables["PATH"])
    runner = Runner(state)
    _FILES.get(shell, _other)(runner)
    return state


def _first_variables(host: Host, shell: str) -> dict[str, str]:
    home = str(host.home)
    user = host.environment.get("USER") or posixpath.basename(home)
    variables = {name: host.environment[name] for name in _INHERITED if name in host.environment}
    variables |= {
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "SHELL": f"/bin/{shell}",
        "PATH": DARWIN_PATH if host.system == "darwin" else LINUX_PATH,
        "PS1": "$ ",
        "SHLVL": "1",
        "?": "0",
        "-": "569XZilm" if shell == "zsh" else "himBHs",
        "0": f"-{shell}",
        "OSTYPE": "darwin" if host.system == "darwin" else "linux-gnu",
    }
    if shell in _OWN:
        number = "0" if user == "root" else "1000"
        values = ("5.2", f"/bin/{shell}", number, number, UNKNOWN)
        variables |= dict(zip(_OWN[shell], values, strict=True))
    return variables


def _environment_file(state: State) -> None:
    file = state.host.system_file("/etc/environment")
    state.followed[file] = None
    data = state.look.read(file, "the system's environment", max_bytes=ENVIRONMENT_MAX_BYTES)
    state.exports.file = file
    for name, value in _ENVIRONMENT_LINE.findall((data or b"").decode("utf-8", "replace")):
        state.variables[name] = value.strip().strip("\"'")
        state.exports.hand_on(name)
    state.exports.file = None


def _system(runner: Runner, *names: str) -> None:
    for name in names:
        runner.file(runner.state.host.system_file(name))


def _own(runner: Runner, *names: str) -> None:
    for name in names:
        runner.file(runner.state.host.home / name)


def _profile(runner: Runner) -> None:
    _system(runner, "/etc/profile")
    # Where the distribution's own profile does not read them, a display manager does.
    _system(runner, *(_profile_parts(runner)))


def _profile_parts(runner: Runner) -> Iterator[str]:
    host = runner.state.host
    folder = host.system_file("/etc/profile.d")
    for name in runner.state.look.names(folder, "the system's start files"):
        if name.endswith(".sh"):
            yield f"/etc/profile.d/{name}"


def _bash(runner: Runner) -> None:
    _profile(runner)
    state = runner.state
    names = (".bash_profile", ".bash_login", ".profile")
    for name in names:
        # All are watched: a new one would take the place of the one read now.
        state.look.watch[state.host.home / name] = None
    there = (name for name in names if state.look.stat(state.host.home / name, "a start file"))
    _own(runner, *list(there)[:1])
    if state.host.system != "darwin":
        runner.inside()
        _system(runner, "/etc/bash.bashrc")
        _own(runner, ".bashrc")


def _zsh(runner: Runner) -> None:
    if runner.state.host.system != "darwin":
        _profile(runner)
    for part in ("zshenv", "zprofile", "zshrc", "zlogin"):
        _system(runner, f"/etc/{part}", f"/etc/zsh/{part}")
        state = runner.state
        moved = on_host(state.host, state.variables.get("ZDOTDIR", ""))
        folder: PurePath = moved or state.host.home
        runner.file(folder / f".{part}")


def _fish(runner: Runner) -> None:
    _profile(runner)
    fish.follow(runner)


def _other(runner: Runner) -> None:
    _profile(runner)
    _own(runner, ".profile")
    if runner.state.shell not in _POSIX:
        runner.state.look.problems["the start files of this login shell are not known"] = None


_POSIX = frozenset({"sh", "dash", "ash", "ksh", "ksh93", "mksh", "yash"})
_FILES: dict[str, Callable[[Runner], None]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
