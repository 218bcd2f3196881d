"""npm itself, asked for its registry where no file of its configuration names one.

npm's default stands in npm's code, so only npm can tell it. The one process that the server
ever starts is ``npm config get registry``: no shell, no input, a limit on its time and on what
is read of it. It reads no project's configuration, asks nothing of the network and leaves no
log behind (npm docs, "config": ``update-notifier``, ``logs-max``).
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from server.setting_values import as_url

NPM_TIMEOUT_S = 20.0
"""Seconds that npm may take; the first start of its interpreter can be slow."""

SAID_MAX_BYTES = 4_096
"""How much is read of what npm prints, in bytes."""

_QUIET = {"npm_config_update_notifier": "false", "npm_config_logs_max": "0"}


def registry_url(environment: Mapping[str, str], home: Path) -> str | None:
    """The registry that an installed npm asks; None without npm, or without a usable answer.

    Args:
        environment: The variables of the process, with PATH.
        home: The user's home folder.
    """
    npm = shutil.which("npm", path=environment.get("PATH", ""))
    if npm is None:
        return None
    said = _said([npm, "config", "get", "registry"], {**environment, **_QUIET}, home.anchor)
    try:
        return as_url(said.strip())
    except (TypeError, ValueError):
        return None


def _said(argv: list[str], environment: Mapping[str, str], folder: str) -> str:
    with tempfile.TemporaryFile() as printed:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command, found on PATH, without a shell
                argv,
                env=environment,
                cwd=folder or os.sep,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.DEVNULL,
                timeout=NPM_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if done.returncode != 0:
            return ""
        printed.seek(0)
        return printed.read(SAID_MAX_BYTES).decode(errors="replace")
