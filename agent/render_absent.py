"""What to say kindly where no Claude Code is in use, as lines of text. Pure."""

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from agent.text import plain, wrapped
from agent.wire import MachineView

Idle = tuple[PurePath, PurePath | None]
"""A program that nothing starts, and the folder of a command ``claude`` that leads to it."""

_ON_PATH = "on the PATH of your login shell"
_AGAIN = "  then look again: parity-agent check"
_COMMANDS = ("claude", "claude.exe", "claude.cmd")


def idle(program: PurePath, names: Iterable[PurePath]) -> Idle:
    """A program at rest, and where the command is that would start it.

    Args:
        program: The file that runs.
        names: Other paths that lead to it.
    """
    commands = (each for each in (*names, program) if each.name in _COMMANDS)
    return program, next((each.parent for each in commands), None)


def no_install(found: Sequence[Idle]) -> list[str]:
    """What helps somebody whose Claude Code is not found, or is started by nothing.

    Args:
        found: What lies here at rest.
    """
    if not found:
        return [
            "No Claude Code was found that a shell of yours starts: there is nothing to compare.",
            "That is fine if you do not use it. If you do:",
            "  to get the public release   npm install -g @anthropic-ai/claude-code",
            "  if it lies elsewhere        put its folder on the PATH of your login shell",
            "  then look again             parity-agent check",
        ]
    lines = ["Claude Code was found here, but nothing starts it: there is nothing to compare."]
    for program, folder in found:
        lines += [f"  found at {plain(program)}", f"    put {_place(folder)} {_ON_PATH}"]
    return [*lines, _AGAIN]


def at_rest(view: MachineView) -> list[str]:
    """The same where only the server's word is known; empty where nothing lies here at rest."""
    if view.standing != "absent" or not view.installs:
        return []
    found = dict.fromkeys(f"{each.install.method} {each.install.place}" for each in view.installs)
    told = f"Claude Code is found here ({', '.join(found)}), but nothing starts it:"
    return [
        *wrapped(f"{told} put {_place(None)} {_ON_PATH}", "  "),
        "  where it lies: parity-agent check",
    ]


def _place(folder: PurePath | None) -> str:
    return plain(folder) if folder else "the folder of its command claude"
