"""What well-known programs would print into a start file, told without running them.

A start file asks these programs for shell text or for a folder. Their answers follow from
files, so they are written out here; a program that is known to say nothing of PATH says
nothing; for any other one the answer is unknown, and stays marked as such.
"""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from agent.discover.interface import Site, on_host
from agent.discover.look import Look
from agent.discover.node.defaults import fnm_bin, nvm_bin
from agent.discover.node.managers import mise_folder, nvm_folders
from agent.discover.npm import npmrc_prefix
from agent.discover.shell.globs import ELSEWHERE, UNKNOWN

PATHS_MAX_BYTES = 64 * 1024
"""Largest file of ``/etc/paths`` that is read."""

_BREWS = ("/opt/homebrew", "/home/linuxbrew/.linuxbrew", "/usr/local")
_BREW_FIRST = {"darwin": _BREWS, "linux": _BREWS[1:2]}
# They print completions, prompts, hooks, key agents: text that sets no PATH to our folders.
# What prints whatever its arguments name (cat, printf, node) is not among them.
_SILENT = re.compile(
    r"""_register_python_argcomplete | atuin | aws_completer | beep | chezmoi | complete
    | dircolors | direnv | docker | figlet | fzf | gh | git | glab | gpg | gpgconf
    | gpg-agent | helm | jenv | just | keychain | kubectl | lesspipe(?:\.sh)?
    | luarocks | mcfly | navi | ngrok | oh-my-posh | op | pip3?
    | poetry | pyenv | rbenv | register-python-argcomplete | rg | rustup | sheldon
    | ssh-agent | starship | stty | task | terraform | thefuck | tofu | tput | tty | uvx? | vivid
    | vfox | yq | zellij | zoxide""",
    re.VERBOSE,
)
# Folders that they print are other programs' own, without Claude Code in them.
_ELSEWHERE = re.compile("java_home|go|ruby|gem|rustc|xcode-select|opam|llvm-config|php|ghcup")
_ASSIGNMENT = re.compile(r"\w+=")
_NPM_FOLDERS = {
    ("prefix", "-g"): "",
    ("-g", "prefix"): "",
    ("config", "get", "prefix"): "",
    ("bin", "-g"): "bin",
    ("-g", "bin"): "bin",
}


@dataclass(frozen=True)
class Asked:
    """A command whose output a start file wants.

    Attributes:
        site: The host and the variables as they are at that point.
        look: For looking at files, and noting what to watch.
        program: The program as written, perhaps with its folder.
        words: Its arguments.
    """

    site: Site
    look: Look
    program: str
    words: Sequence[str]


def output(site: Site, look: Look, words: Sequence[str]) -> str:
    """What a command would have printed; a mark where that cannot be told.

    Args:
        site: The host and the variables as they are at that point.
        look: For looking at files.
        words: The command's words, expanded; assignments may stand before it.
    """
    words = list(dropwhile(_is_before_program, words))
    if not words:
        return UNKNOWN
    asked = Asked(site, look, words[0].lstrip("\\"), words[1:])
    name = posixpath.basename(asked.program)
    if (row := _TABLE.get(name)) is not None and (text := row(asked)) is not None:
        return text
    is_other = _ELSEWHERE.fullmatch(name) or _SILENT.fullmatch(name)
    return ELSEWHERE if is_other or "completion" in asked.words else UNKNOWN


def nvm_start(site: Site, look: Look, arguments: Sequence[str]) -> str:
    """What sourcing nvm's script comes to: its default version in front of PATH."""
    folder = nvm_bin(look, nvm_folders(site)[0])
    # Where it is on PATH already, nvm leaves PATH as it is (nvm.sh, nvm_auto).
    if "--no-use" in arguments or str(folder) in site.variables.get("PATH", "").split(":"):
        return ""
    return _in_front(folder)


def nvm_use(site: Site, look: Look, version: str) -> str:
    """What ``nvm use VERSION`` comes to."""
    return _in_front(nvm_bin(look, nvm_folders(site)[0], version))


def path_helper(site: Site, look: Look, path: str) -> str:
    """PATH as macOS makes it for a login shell: the system's folders before the others.

    Source: path_helper(8).
    """
    folders: list[str] = []
    host = site.host
    more = host.system_file("/etc/paths.d")
    files = [host.system_file("/etc/paths")]
    files += [more / name for name in look.names(more, "the system's search path")]
    for file in files:
        data = look.read(file, "the system's search path", max_bytes=PATHS_MAX_BYTES)
        folders += (data or b"").decode("utf-8", "replace").split("\n")
    folders += path.split(":")
    return ":".join(dict.fromkeys(folder.strip() for folder in folders if folder.strip()))


def _is_before_program(word: str) -> bool:
    # SHELL=/bin/sh lesspipe; \builtin command brew.
    return bool(_ASSIGNMENT.match(word)) or word.lstrip("\\") in {"command", "builtin"}


def _in_front(folder: object | None) -> str:
    return f"export PATH='{folder}':\"$PATH\"" if folder is not None else ""


def _brew(asked: Asked) -> str | None:
    prefix = _brew_prefix(asked)
    if prefix is None:
        return UNKNOWN
    if asked.words[:1] == ["shellenv"]:
        return f"export HOMEBREW_PREFIX='{prefix}'; export PATH='{prefix}/bin:{prefix}/sbin':$PATH"
    if asked.words[:1] == ["--prefix"]:
        formula = asked.words[1:2]
        return posixpath.join(prefix, "opt", *formula) if formula else prefix
    return None


def _brew_prefix(asked: Asked) -> str | None:
    if asked.program.startswith("/"):
        return posixpath.dirname(posixpath.dirname(asked.program))
    for prefix in _BREW_FIRST.get(asked.site.host.system, ()):
        brew = on_host(asked.site.host, f"{prefix}/bin/brew")
        if brew is not None and asked.look.stat(brew, "Homebrew"):
            return prefix
    return None


def _fnm(asked: Asked) -> str:
    return _in_front(fnm_bin(asked.site, asked.look)) if "env" in asked.words else ""


def _mise(asked: Asked) -> str:
    # Activation puts the same versions on PATH that the shims lead to.
    return _in_front(mise_folder(asked.site) / "shims") if "activate" in asked.words else ""


def _nodenv(asked: Asked) -> str:
    root = asked.site.folder("NODENV_ROOT", asked.site.host.home / ".nodenv")
    return _in_front(root / "shims") if "init" in asked.words else UNKNOWN


def _conda(asked: Asked) -> str | None:
    if "hook" not in asked.words or not asked.program.startswith("/"):
        return None
    return _in_front(posixpath.dirname(asked.program))


def _npm(asked: Asked) -> str | None:
    below = _NPM_FOLDERS.get(tuple(asked.words))
    if below is None:
        return None
    prefix = npmrc_prefix(asked.site, asked.look)
    return str(prefix / below) if prefix is not None else UNKNOWN


def _python(asked: Asked) -> str | None:
    if list(asked.words) != ["-m", "site", "--user-base"]:
        return None
    # A folder per version on macOS, elsewhere the one where our launcher lies too
    # (docs.python.org/3/library/site.html, USER_BASE).
    if asked.site.host.system == "darwin" and "PYTHONUSERBASE" not in asked.site.variables:
        return ELSEWHERE
    return str(asked.site.folder("PYTHONUSERBASE", asked.site.host.home / ".local"))


def _id(asked: Asked) -> str | None:
    is_root = asked.site.variables.get("USER") == "root"
    names = {"-u": "0" if is_root else "1000", "-un": asked.site.variables.get("USER", "")}
    return names.get("".join(asked.words))


def _uname(asked: Asked) -> str | None:
    system = {"darwin": "Darwin", "linux": "Linux"}.get(asked.site.host.system)
    machine = {"x64": "x86_64", "arm64": "arm64" if system == "Darwin" else "aarch64"}
    if "-m" in asked.words:
        return machine.get(asked.site.host.arch)
    return system if asked.words in ([], ["-s"]) else None


def _user(asked: Asked) -> str | None:
    return asked.site.variables.get("USER")


def _echo(asked: Asked) -> str:
    text = " ".join(asked.words)
    return UNKNOWN if "$" in text or "`" in text else text


def _path_helper(asked: Asked) -> str:
    path = path_helper(asked.site, asked.look, asked.site.variables.get("PATH", ""))
    return f"export PATH='{path}'"


_TABLE: dict[str, Callable[[Asked], str | None]] = {
    "brew": _brew,
    "conda": _conda,
    "echo": _echo,
    "fnm": _fnm,
    "id": _id,
    "mise": _mise,
    "nodenv": _nodenv,
    "npm": _npm,
    "path_helper": _path_helper,
    "python": _python,
    "python3": _python,
    "uname": _uname,
    "whoami": _user,
}
