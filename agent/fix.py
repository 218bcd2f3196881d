"""The closed table from a fix to the command that a person runs. Pure.

A fix is (action, method, target), never a command line: what a server says can only
choose a row here, and a target that is not a version or a key is refused. The laptop
and the server's page render the same row. Sources: facts 1.4 (commands per method) and
1.3 (npm 12 asks before it runs install scripts).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.wire import FixRef

NPM_PACKAGE = "@anthropic-ai/claude-code"

_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]{1,32})?\Z")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}\Z")


@dataclass(frozen=True)
class Command:
    """What to do, for a person to read and, where it is one command, to run.

    Attributes:
        text: One line for a person: a command to paste, or an instruction.
        argv: The same as an argument vector, run without a shell; None where a person
            has to act (edit a file, ask an administrator).
    """

    text: str
    argv: tuple[str, ...] | None = None


def render(fix: FixRef) -> Command | None:
    """The command for a fix, or None if the table has no row for it.

    A row is missing when the server is newer than this code; a target of the wrong form
    gets None too, so that no text of a server's making reaches a command line.
    """
    row = _TABLE.get((fix.action, fix.method))
    form = _KEY if fix.action == "unset" else _VERSION
    if row is None or not form.match(fix.target):
        return None
    return row(fix.target)


def _run(*argv: str) -> Command:
    return Command(text=" ".join(argv), argv=argv)


def _npm_install(version: str) -> Command:
    return _run("npm", "install", "-g", f"{NPM_PACKAGE}@{version}")


def _npm_reinstall(version: str) -> Command:
    # A stub is left where install scripts were not run; npm 12 runs none unasked.
    return _run(
        "npm", "install", "-g", f"--allow-scripts={NPM_PACKAGE}", f"{NPM_PACKAGE}@{version}"
    )


def _native_install(version: str) -> Command:
    return _run("claude", "install", version)


def _native_reinstall(version: str) -> Command:
    # Altered bytes are not asked to replace themselves.
    return Command(text=f"curl -fsSL https://claude.ai/install.sh | bash -s {version}")


def _unset_in(place: str) -> Callable[[str], Command]:
    return lambda key: Command(text=f"remove {key} from {place}")


_TABLE: Mapping[tuple[str, str], Callable[[str], Command]] = MappingProxyType(
    {
        ("install", "npm"): _npm_install,
        ("install", "native"): _native_install,
        ("reinstall", "npm"): _npm_reinstall,
        ("reinstall", "native"): _native_reinstall,
        ("unset", "user"): _unset_in("your Claude Code user settings (settings.json)"),
        ("unset", "managed"): _unset_in("the managed settings: ask your administrator"),
        ("unset", "environment"): _unset_in("your shell's start files or the environment"),
        ("unset", "state"): _unset_in("Claude Code's own options (~/.claude.json)"),
    }
)
