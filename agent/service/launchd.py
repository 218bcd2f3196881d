"""The service as a launchd agent of the user. Pure.

launchd puts what a program says into a file that nobody cuts. So the daemon logs to a file of
its own, which it cuts itself, and the other holds only what a crash says.
"""

import plistlib
from pathlib import Path

from agent.service.interface import END_WITHIN_S, NAMES, NICENESS, RESTART_AFTER_S, Unit
from agent.service.launch import Launch
from agent.settings import PREFIX

UMASK = 0o077
"""Files that the daemon makes are its user's alone."""


def unit(launch: Launch) -> Unit:
    """The property list: launchd.plist(5)."""
    logs = launch.home / "Library" / "Logs" / "build-parity"
    log, crashes = logs / "agent.log", logs / "crashes.log"
    usual = {} if launch.has_log_file else {f"{PREFIX}LOG_FILE": str(log)}
    told = {
        "Label": NAMES["launchd"],
        "ProgramArguments": [*launch.command, "run"],
        "EnvironmentVariables": {**launch.environment, **usual},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": RESTART_AFTER_S,
        "ExitTimeOut": END_WITHIN_S,
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "LowPriorityBackgroundIO": True,
        "Nice": NICENESS,
        "Umask": UMASK,
        "StandardOutPath": "/dev/null",
        "StandardErrorPath": str(crashes),
    }
    file = Path(launch.home, "Library", "LaunchAgents", f"{NAMES['launchd']}.plist")
    return Unit(
        "launchd",
        file,
        plistlib.dumps(told),
        folders=(logs,),
        logs=(log, log.with_name("agent.log.1"), crashes),
    )
