"""The live host on Windows.

Windows has no login shell with start files: PATH is what the environment says, and a
program's name is tried with each suffix of ``PATHEXT``.
"""

import errno
import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from agent.host import Host, PolicyScope
from agent.platforms.common import LiveHost, arch, no_policy, no_variables
from agent.platforms.processes import PsutilTable, roots_of

_FILETIME_EPOCH = 116_444_736_000_000_000
_POLICY_KEY = r"SOFTWARE\Policies\ClaudeCode"
_POLICY_VALUE = "Settings"
_VARIABLES: Mapping[PolicyScope, str] = {
    "machine": r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment",
    "user": "Environment",
}
_PATHEXT = ".COM;.EXE;.BAT;.CMD"


def suffixes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the command processor tries after a program's name, in order and lower case."""
    words = environment.get("PATHEXT", _PATHEXT).lower().split(";")
    return tuple(word for word in words if word.startswith("."))


def live(
    *,
    home: Path,
    system_root: Path | None,
    environment: Mapping[str, str],
    process_roots: tuple[int, ...] | None = None,
) -> Host:
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
        policy=registry_policy if system_root is None else no_policy,
        variables=registry_variables if system_root is None else no_variables,
        table=PsutilTable(_is_mine, filetime, roots_of(system_root, process_roots)),
    )


def filetime(seconds: float) -> str:
    """A time since the epoch in hundreds of nanoseconds since 1601 (winnt.h, FILETIME)."""
    return str(int(seconds * 1e7) + _FILETIME_EPOCH)


def registry_policy(scope: PolicyScope) -> str | None:
    """The registry's policy value: JSON, not expanded, as Claude Code reads it (facts 3.2).

    Raises:
        OSError: It may not be read, or is no text.
    """
    if sys.platform != "win32":
        return None
    import winreg  # noqa: PLC0415 - only Windows has it

    hive = winreg.HKEY_LOCAL_MACHINE if scope == "machine" else winreg.HKEY_CURRENT_USER
    access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
    try:
        with winreg.OpenKeyEx(hive, _POLICY_KEY, 0, access) as key:
            value, kind = winreg.QueryValueEx(key, _POLICY_VALUE)
    except FileNotFoundError:
        return None
    if kind not in {winreg.REG_SZ, winreg.REG_EXPAND_SZ}:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return str(value)


def registry_variables(scope: PolicyScope, wanted: Callable[[str], bool]) -> Mapping[str, str]:
    """The variables that Windows gives to each program, with what they refer to in its place.

    Source: learn.microsoft.com, "Environment Variables".

    Raises:
        OSError: They may not be read.
    """
    found: dict[str, str] = {}
    if sys.platform != "win32":
        return found
    import winreg  # noqa: PLC0415 - only Windows has it

    hive = winreg.HKEY_LOCAL_MACHINE if scope == "machine" else winreg.HKEY_CURRENT_USER
    access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
    with winreg.OpenKeyEx(hive, _VARIABLES[scope], 0, access) as key:
        for at in range(winreg.QueryInfoKey(key)[1]):
            name, value, kind = winreg.EnumValue(key, at)
            if not wanted(name.upper()):
                continue
            if kind == winreg.REG_EXPAND_SZ:
                found[name.upper()] = winreg.ExpandEnvironmentStrings(value)
            elif kind == winreg.REG_SZ:
                found[name.upper()] = value
    return found


def _is_mine(process: psutil.Process) -> bool:
    return process.username() == _user()


@functools.cache
def _user() -> str:
    return psutil.Process().username()
