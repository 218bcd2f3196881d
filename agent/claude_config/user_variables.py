"""Variables that a system gives to every program of a user, whichever shell it has.

On Windows they stand in the registry, the user's over the machine's. On Linux systemd reads them
from ``~/.config/environment.d`` for what a desktop session starts (environment.d(5)), the last
file first here; ``/etc/environment`` is among the start files. What macOS is told by
``launchctl setenv`` lies in no file: running sessions show it.

A shell's start files come after these, so this is the lowest layer.
"""

import re
from collections.abc import Mapping
from pathlib import PurePath, PureWindowsPath

from agent.claude_config.keys import load
from agent.claude_config.sources import Files, Source
from agent.host import PolicyScope

FILE_MAX_BYTES = 65_536

_LAYER = "environment"
_PLACES: Mapping[PolicyScope, PureWindowsPath] = {
    "user": PureWindowsPath("HKCU", "Environment"),
    "machine": PureWindowsPath(
        "HKLM", "SYSTEM", "CurrentControlSet", "Control", "Session Manager", "Environment"
    ),
}
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_QUOTED = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_HOME = re.compile(r"\$(HOME\b|\{HOME\})")


def read(files: Files) -> list[Source]:
    """What the system keeps, highest precedence first."""
    return [
        source
        for source in (*_kept_by_windows(files), *_kept_for_systemd(files))
        if source.variables
    ]


def assigned(text: str, home: str) -> Mapping[str, str | None]:
    """What one file of ``environment.d`` sets; None where another variable is part of a value.

    Args:
        text: The file.
        home: What ``$HOME`` stands for.
    """
    found: dict[str, str | None] = {}
    for line in text.replace("\\\n", "").splitlines():
        if match := _LINE.fullmatch(line.strip()):
            found[match[1]] = _value(match[2], home)
    return found


def _value(text: str, home: str) -> str | None:
    quoted = _QUOTED.fullmatch(text)
    value = _HOME.sub(lambda _: home, quoted[2] if quoted else text)
    return None if re.search(r"[$\\]", value) else value


def _kept_by_windows(files: Files) -> list[Source]:
    return [
        Source(_LAYER, place, variables=_registry(files, scope)) for scope, place in _PLACES.items()
    ]


def _registry(files: Files, scope: PolicyScope) -> Mapping[str, str]:
    keys = load()
    try:
        return files.host.user_variables(
            scope, lambda name: keys.named("variable", name) is not None
        )
    except OSError as error:
        files.failed(_LAYER, error)
        return {}


def _kept_for_systemd(files: Files) -> list[Source]:
    if files.host.system != "linux":
        return []
    folder = files.host.home / ".config" / "environment.d"
    return [_source(files, file) for file in reversed(files.snippets(_LAYER, folder, ".conf"))]


def _source(files: Files, file: PurePath) -> Source:
    data = files.data(_LAYER, file, FILE_MAX_BYTES) or b""
    text = data.decode("utf-8", "replace")
    return Source(_LAYER, file, variables=assigned(text, str(files.host.home)))
