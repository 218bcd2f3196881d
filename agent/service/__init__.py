"""The daemon as one user's service, under the service manager of the user's system.

One module per manager renders what is written down, purely; `written` writes it and has the
manager act. The rendered files lie in ``install/agent/`` too, for operators to look at.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.errors import AgentError
from agent.service import launch, launchd, scheduled_task, systemd
from agent.service.interface import Service, Unit
from agent.service.launch import Launch
from agent.service.written import WrittenService
from agent.settings import Settings

_UNITS: Mapping[str, Callable[[Launch], Unit]] = {
    "darwin": launchd.unit,
    "linux": systemd.unit,
    "win32": scheduled_task.unit,
}


def of(
    settings: Settings,
    environment: Mapping[str, str],
    *,
    config: Path | None = None,
    system: str = sys.platform,
) -> Service:
    """The service of this user.

    Args:
        settings: As read.
        environment: The variables of the process.
        config: The settings file that was named as an option.
        system: As ``sys.platform`` names it.

    Raises:
        AgentError: The system is not known, the agent is not installed as a command, or a
            variable cannot be written down.
    """
    if system not in _UNITS:
        raise AgentError(
            f"the agent knows no service manager of the system {system!r}",
            advice="start it by hand: parity-agent run",
        )
    executable = Path(sys.executable)
    command = launch.command_of(executable, os.listdir(executable.parent))  # noqa: PTH208 - names
    made = launch.of(settings, environment, command, config=config)
    return WrittenService(_UNITS[system](made), environment)


def uninstall(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Ends this user's service and removes what was written for it.

    Returns:
        Whether there was one.

    Raises:
        AgentError: It cannot be removed.
    """
    return of(settings, environment).uninstall()
