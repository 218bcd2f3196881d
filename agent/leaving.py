"""Saying goodbye to a server, and taking away what the agent made on this laptop.

Only files that the agent makes are removed, each by its name: the state folder may be one
that its user has for other things too. What is to go is a list here, and a test lives a
whole life and looks for what is left over.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent import answers, lock
from agent.errors import ExchangeError
from agent.identity import Identity
from agent.settings import Settings
from agent.transport import Transport

IDENTITY = ("identity.json", "enrolling.json")
"""Who this machine was: worth nothing once it has left."""

STATE = (
    "journal.db",
    "journal.damaged.db",
    "fingerprints.json",
    "pause.json",
    "stacks.txt",
)
"""What the agent remembers."""

LOCKS = ("cycle.lock", "daemon.lock", "pause.lock", "identity.lock")
"""Empty files; removed last, when nobody holds them."""

_BESIDE = ("-journal", ".*.new")
"""Ends of names: a database's own, and a file that a power cut left half written."""

ENDING_S = 30.0
"""Seconds to wait for a daemon that was told to end."""


@dataclass(frozen=True)
class Removed:
    """What became of the agent's files.

    Attributes:
        files: Those that are gone.
        stayed: Those that could not be removed, and why.
        folder_stays: The state folder is still there: something else is in it.
    """

    files: tuple[Path, ...]
    stayed: tuple[tuple[Path, str], ...] = field(default=())
    folder_stays: bool = False


def say_goodbye(settings: Settings, who: Identity) -> str:
    """Tells the server that this machine leaves: its token ends, and nobody waits for it.

    Returns:
        Why the server did not hear it; empty where it knows this machine as gone.
    """
    try:
        with Transport(settings, who.server_url, who.token) as transport:
            return answers.unheard(transport.send("DELETE", "v1/machines/me"))
    except ExchangeError as error:
        return str(error)


def remove(state_dir: Path, *, keep_state: bool, ending_s: float = ENDING_S) -> Removed:
    """Removes the agent's own files, when no daemon runs any more.

    Args:
        state_dir: Where they are.
        keep_state: Only the identity goes; the journal and the caches stay for a look.
        ending_s: Seconds to wait for a daemon, or a check, to end.

    Raises:
        AgentError: A daemon or a check still runs.
    """
    if not state_dir.is_dir():
        return Removed(())
    names = IDENTITY if keep_state else (*IDENTITY, *STATE)
    with (
        lock.held(state_dir / "daemon.lock", timeout_s=ending_s, holder="an agent"),
        lock.held(state_dir / "cycle.lock", timeout_s=ending_s, holder="a check"),
    ):
        tried = [_unlinked(file) for file in _files(state_dir, names)]
    if not keep_state:
        tried += [_unlinked(file) for file in _files(state_dir, LOCKS)]
        with suppress(OSError):
            state_dir.rmdir()
    return Removed(
        files=tuple(file for file, reason in tried if not reason),
        stayed=tuple((file, reason) for file, reason in tried if reason),
        folder_stays=state_dir.exists(),
    )


def _files(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        for pattern in (name, *(name + end for end in _BESIDE)):
            yield from sorted(each for each in folder.glob(pattern) if not each.is_dir())


def _unlinked(file: Path) -> tuple[Path, str]:
    try:
        file.unlink()
    except OSError as error:
        return file, error.strerror or type(error).__name__
    return file, ""


def package_removal(executable: Path) -> str:
    """The command that removes the installed package. Pure.

    Args:
        executable: The Python of the environment that it is installed in.
    """
    if "pipx" in executable.parts:
        return "pipx uninstall build-parity"
    if {"uv", "tools"} <= set(executable.parts):
        return "uv tool uninstall build-parity"
    return f'"{executable}" -m pip uninstall build-parity'
