"""The live host on Windows.

Windows has no login shell with start files: PATH is what the environment says, and a
program's name is tried with each suffix of ``PATHEXT``.
"""

from collections.abc import Mapping
from pathlib import Path

from agent.host import Host
from agent.platforms.common import LiveHost, arch

_PATHEXT = ".COM;.EXE;.BAT;.CMD"


def suffixes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the command processor tries after a program's name, in order and lower case."""
    words = environment.get("PATHEXT", _PATHEXT).lower().split(";")
    return tuple(word for word in words if word.startswith("."))


def live(*, home: Path, system_root: Path | None, environment: Mapping[str, str]) -> Host:
    """As `agent.platforms.live`, on Windows."""
    return LiveHost(
        system="win32",
        arch=arch(),
        home=home,
        login_shell="cmd",
        environment=environment,
        root=system_root,
        managed_name="C:/Program Files/ClaudeCode",
        suffixes=suffixes(environment),
    )
