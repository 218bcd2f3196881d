"""The live host on Linux, WSL included."""

from collections.abc import Mapping
from pathlib import Path

from agent.host import Host
from agent.platforms.common import LiveHost, arch
from agent.platforms.posix import login_shell


def live(*, home: Path, system_root: Path | None, environment: Mapping[str, str]) -> Host:
    """As `agent.platforms.live`, on Linux."""
    return LiveHost(
        system="linux",
        arch=arch(),
        home=home,
        login_shell=login_shell(environment, system_root=system_root, fallback="bash"),
        environment=environment,
        root=system_root,
        managed_name="/etc/claude-code",
    )
