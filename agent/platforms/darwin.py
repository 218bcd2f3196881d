"""The live host on macOS."""

import os
import pwd
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from agent.host import Host
from agent.platforms.common import LiveHost, arch, preference_names
from agent.platforms.posix import login_shell
from agent.platforms.processes import PsutilTable, roots_of


def live(
    *,
    home: Path,
    system_root: Path | None,
    environment: Mapping[str, str],
    process_roots: tuple[int, ...] | None = None,
) -> Host:
    """As `agent.platforms.live`, on macOS."""
    return LiveHost(
        system="darwin",
        arch=arch(),
        home=home,
        login_shell=login_shell(environment, system_root=system_root, fallback="zsh"),
        environment=environment,
        root=system_root,
        managed_name="/Library/Application Support/ClaudeCode",
        preference_names=preference_names(_user(home, system_root)),
        table=PsutilTable(_is_mine, time.ctime, roots_of(system_root, process_roots)),
    )


def _user(home: Path, system_root: Path | None) -> str:
    if system_root is not None:
        return home.name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return home.name


def _is_mine(process: psutil.Process) -> bool:
    return bool(process.uids().real == os.getuid())
