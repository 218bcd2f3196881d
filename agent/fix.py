"""The closed table from a fix to the command that a person runs. Pure.

A fix is (action, method, target), never a command line: what a server says can only
choose a row here, and a target that is not of its action's form is refused. The laptop
and the server's page render the same row. Sources: facts 1.4 (commands per method) and
1.3 (npm 12 asks before it runs install scripts).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.wire import FixRef

NPM_PACKAGE = "@anthropic-ai/claude-code"

WINGET_PACKAGE = "Anthropic.ClaudeCode"

_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]{1,32})?\Z")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}\Z")
_AGAIN = re.compile(r"again\Z")
_FORMS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {"unset": _KEY, "set": _KEY, "restart": _AGAIN, "enrol": _AGAIN}
)
"""The form of each action's target; of the others it is a version."""


@dataclass(frozen=True)
class Command:
    """What to do, for a person to read and, where it is one command, to run.

    Attributes:
        text: One line for a person: a command to paste, or an instruction.
        argv: The same as an argument vector, run without a shell; None where a person
            has to act (edit a file, ask an administrator).
        is_pasted: The text can be pasted into a shell; else it is an instruction.
    """

    text: str
    argv: tuple[str, ...] | None = None
    is_pasted: bool = False


def render(fix: FixRef) -> Command | None:
    """The command for a fix, or None if the table has no row for it.

    A row is missing when the server is newer than this code; a target of the wrong form
    gets None too, so that no text of a server's making reaches a command line.
    """
    row = _TABLE.get((fix.action, fix.method))
    if row is None or not _FORMS.get(fix.action, _VERSION).match(fix.target):
        return None
    return row(fix.target)


def _run(*argv: str) -> Command:
    return Command(text=" ".join(argv), argv=argv, is_pasted=True)


def _npm_install(version: str) -> Command:
    return _run("npm", "install", "-g", f"{NPM_PACKAGE}@{version}")


def _npm_reinstall(version: str) -> Command:
    # A stub is left where install scripts were not run; npm 12 runs none unasked.
    return _run(
        "npm", "install", "-g", f"--allow-scripts={NPM_PACKAGE}", f"{NPM_PACKAGE}@{version}"
    )


def _pnpm_install(version: str) -> Command:
    # pnpm runs no install script that it is not told to (facts 1.3).
    return _run("pnpm", "add", "-g", f"--allow-build={NPM_PACKAGE}", f"{NPM_PACKAGE}@{version}")


def _bun_install(version: str) -> Command:
    return _run("bun", "add", "-g", "--trust", f"{NPM_PACKAGE}@{version}")


def _yarn_install(version: str) -> Command:
    return _run("yarn", "global", "add", f"{NPM_PACKAGE}@{version}")


def _after(removal: str, install: Callable[[str], Command]) -> Callable[[str], Command]:
    # These tools take a version that they have as done, whatever its bytes are.
    return lambda version: Command(text=f"{removal} && {install(version).text}", is_pasted=True)


def _winget_install(version: str) -> Command:
    return _run("winget", "install", "--id", WINGET_PACKAGE, "-e", "--version", version)


def _winget_reinstall(version: str) -> Command:
    argv = ("winget", "install", "--id", WINGET_PACKAGE, "-e", "--version", version, "--force")
    return _run(*argv)


def _told(words: str) -> Callable[[str], Command]:
    return lambda version: Command(text=words.format(version=version))


def _native_install(version: str) -> Command:
    return _run("claude", "install", version)


def _native_reinstall(version: str) -> Command:
    # Altered bytes are not asked to replace themselves.
    return Command(
        text=f"curl -fsSL https://claude.ai/install.sh | bash -s {version}", is_pasted=True
    )


def _unset_in(place: str) -> Callable[[str], Command]:
    return lambda key: Command(text=f"remove {key} from {place}")


def _set_in(place: str) -> Callable[[str], Command]:
    return lambda key: Command(text=f"set {key} as users have it in {place}")


def _forget_sign_in(key: str) -> Command:
    # The state of a client that signs in elsewhere than users do (facts 3.3).
    return Command(text=f"delete ~/.claude-{key.removesuffix('-state')}.json")


def _unshadow(removal: str) -> Callable[[str], Command]:
    # Which of two copies a user wants to keep is not for a table to say.
    return lambda version: Command(
        text=f"put the newer copy's folder first on your PATH, or remove {version}: {removal}"
    )


def _upgrade(version: str) -> Command:
    return Command(text=f"install version {version} of this agent, or let your operator do it")


def _restart(_: str) -> Command:
    return Command(text="end the running sessions of Claude Code and start them again")


def _enrol(_: str) -> Command:
    return Command(text="enrol one of the two laptops anew, under a label of its own")


_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "user": "your Claude Code user settings (settings.json)",
        "managed": "the managed settings: ask your administrator",
        "environment": "your shell's start files or the environment",
        "state": "Claude Code's own options (~/.claude.json)",
        "session": "the command line or environment that you start Claude Code with",
    }
)
"""Where a person changes a key, by the layer that sets it."""

_CASK = "claude-code, or claude-code@latest where that is your cask"
"""A cask's version is the head of its channel: no other one can be asked for (facts 1.4)."""

_EXTENSION = (
    "install version {version} of the extension anthropic.claude-code in your editor"
    " (in VS Code: code --install-extension anthropic.claude-code@{version})"
)
_DESKTOP = "install the release of Claude Desktop that brings version {version}"
_SDK = "install the release of the Agent SDK that bundles version {version}"
_REMOVE_LOCAL = "delete ~/.claude/local, and the alias in your shell's start files"
_PACKAGE_INSTALL = (
    "sudo apt install claude-code={version}; or sudo dnf install claude-code-{version}; or"
    " sudo apk add claude-code={version}; or build pacman's package of {version} and install it"
)
_PACKAGE_REINSTALL = (
    "sudo apt install --reinstall claude-code={version}; or sudo dnf reinstall"
    " claude-code-{version}; or sudo apk fix --reinstall claude-code; or build and install"
    " pacman's package again"
)
_PACKAGE_REMOVE = (
    "sudo apt remove claude-code; or sudo dnf remove claude-code; or sudo apk del claude-code;"
    " or sudo pacman -R and the package's name"
)
_NIX_PIN = "pin a revision of nixpkgs whose claude-code is {version}, and build your profile anew"
_NIX_LEAVE = "take claude-code out of your Nix profile or configuration"
# nixpkgs patches what it packs (facts 1.1): its bytes are never the public ones.
_NIX_PUBLIC = f"{_NIX_LEAVE}, then curl -fsSL https://claude.ai/install.sh | bash -s {{version}}"
_MIGRATE = f"claude install {{version}}, then {_REMOVE_LOCAL}"

_TABLE: Mapping[tuple[str, str], Callable[[str], Command]] = MappingProxyType(
    {
        ("install", "npm"): _npm_install,
        ("install", "native"): _native_install,
        ("reinstall", "npm"): _npm_reinstall,
        ("reinstall", "native"): _native_reinstall,
        ("install", "pnpm"): _pnpm_install,
        ("install", "bun"): _bun_install,
        ("install", "yarn"): _yarn_install,
        ("install", "winget"): _winget_install,
        ("install", "homebrew"): _told(f"brew update && brew upgrade {_CASK}"),
        ("install", "legacy_local"): _told(_MIGRATE),
        ("install", "version_manager"): _told(
            "mise use -g claude@{version}; or choose {version} of asdf's plugin"
        ),
        ("install", "system_package"): _told(_PACKAGE_INSTALL),
        ("install", "nix"): _told(_NIX_PIN),
        ("reinstall", "pnpm"): _after(f"pnpm remove -g {NPM_PACKAGE}", _pnpm_install),
        ("reinstall", "bun"): _after(
            f"bun remove -g {NPM_PACKAGE} && bun pm cache rm", _bun_install
        ),
        ("reinstall", "yarn"): _after(f"yarn global remove {NPM_PACKAGE}", _yarn_install),
        ("reinstall", "winget"): _winget_reinstall,
        ("reinstall", "homebrew"): _told(f"brew update && brew reinstall {_CASK}"),
        ("reinstall", "legacy_local"): _told(_MIGRATE),
        ("reinstall", "version_manager"): _told(
            "mise install -f claude@{version}; or let asdf uninstall and install {version} again"
        ),
        ("reinstall", "system_package"): _told(_PACKAGE_REINSTALL),
        ("reinstall", "nix"): _told(_NIX_PUBLIC),
        ("unshadow", "pnpm"): _unshadow(f"pnpm remove -g {NPM_PACKAGE}"),
        ("unshadow", "bun"): _unshadow(f"bun remove -g {NPM_PACKAGE}"),
        ("unshadow", "yarn"): _unshadow(f"yarn global remove {NPM_PACKAGE}"),
        ("unshadow", "winget"): _unshadow(f"winget uninstall --id {WINGET_PACKAGE} -e"),
        ("unshadow", "homebrew"): _unshadow(f"brew uninstall {_CASK}"),
        ("unshadow", "legacy_local"): _unshadow(_REMOVE_LOCAL),
        ("unshadow", "version_manager"): _unshadow("uninstall it with mise or asdf"),
        ("unshadow", "system_package"): _unshadow(_PACKAGE_REMOVE),
        ("unshadow", "nix"): _unshadow(_NIX_LEAVE),
        **{
            (action, method): _told(words)
            for action in ("install", "reinstall")
            for method, words in (
                ("editor_extension", _EXTENSION),
                ("desktop", _DESKTOP),
                ("agent_sdk", _SDK),
            )
        },
        **{
            ("unshadow", method): _unshadow("take its folder off your PATH")
            for method in ("editor_extension", "desktop", "agent_sdk")
        },
        ("unshadow", "npm"): _unshadow(f"npm uninstall -g {NPM_PACKAGE}"),
        ("unshadow", "native"): _unshadow("delete ~/.local/bin/claude"),
        ("unshadow", "other"): _unshadow("delete the file that your PATH leads to"),
        ("restart", "session"): _restart,
        ("unset", "file"): _forget_sign_in,
        ("upgrade", "agent"): _upgrade,
        ("enrol", "agent"): _enrol,
        **{("unset", layer): _unset_in(place) for layer, place in _PLACES.items()},
        **{("set", layer): _set_in(place) for layer, place in _PLACES.items()},
    }
)
