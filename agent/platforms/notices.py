"""A notification on the desktop: one allowed command for each system, given text as text.

The text is never part of a script: it goes as an argument of its own, or as a variable. Linux:
notify-send(1), found on the user's PATH. macOS: osascript(1), whose words after the script are
the script's arguments. Windows: a toast by PowerShell, as Microsoft's reference of
ToastNotificationManager has it; it is shown in PowerShell's name, since a toast needs the name
of a program that the start menu knows.
"""

import ntpath
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import AgentError
from agent.host import Host
from agent.notify import Notice

NOTICE_TIMEOUT_S = 10.0
"""Seconds that a desktop may take to show a notification."""

_WHAT_TO_DO = "install a program that shows notifications, or set notify_desktop to false"
_OSASCRIPT = "/usr/bin/osascript"
_MAC_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_POWERSHELL = r"System32\WindowsPowerShell\v1.0\powershell.exe"
_TITLE, _TEXT = "PARITY_NOTICE_TITLE", "PARITY_NOTICE_TEXT"
_WINDOWS_SCRIPT = f"""
$ErrorActionPreference = 'Stop'
[void][Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent('ToastText02')
$lines = $toast.GetElementsByTagName('text')
[void]$lines.Item(0).AppendChild($toast.CreateTextNode($env:{_TITLE}))
[void]$lines.Item(1).AppendChild($toast.CreateTextNode($env:{_TEXT}))
$id = '{{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($id).Show(
    [Windows.UI.Notifications.ToastNotification]::new($toast))
"""  # noqa: E501 - a type's name has no place to be broken at


@dataclass(frozen=True)
class Command:
    """What shows a notification.

    Attributes:
        argv: The words; the first is the program's absolute path.
        variables: Further variables of the program.
    """

    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def command(host: Host, notice: Notice) -> Command | None:
    """What shows a notification on a system; None where it has nothing for that."""
    if host.system == "linux":
        return _linux(host, notice)
    if host.system == "darwin":
        script = (word for line in _MAC_SCRIPT for word in ("-e", line))
        return Command((_OSASCRIPT, *script, notice.title, notice.text))
    if host.system == "win32":
        program = ntpath.join(host.environment.get("SYSTEMROOT", r"C:\Windows"), _POWERSHELL)
        how = ("-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command")
        variables = {_TITLE: notice.title, _TEXT: notice.text}
        return Command((program, *how, _WINDOWS_SCRIPT), variables)
    return None


def show(host: Host, notice: Notice) -> None:
    """Shows a notification, and waits a little for the desktop to have it.

    Raises:
        AgentError: This system has nothing that shows it, or that failed.
    """
    found = command(host, notice)
    if found is None:
        raise AgentError("this system shows no notifications", advice=_WHAT_TO_DO)
    try:
        # The words are this module's own; what comes from elsewhere is no part of a script.
        done = subprocess.run(  # noqa: S603 - see above
            found.argv,
            env={**host.environment, **found.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=NOTICE_TIMEOUT_S,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise AgentError(
            f"the desktop did not take a notification in {NOTICE_TIMEOUT_S:g} s",
            advice=_WHAT_TO_DO,
        ) from None
    except OSError as error:
        raise AgentError(
            f"{found.argv[0]} could not be started: {error.strerror}", advice=_WHAT_TO_DO
        ) from error
    if done.returncode != 0:
        raise AgentError(
            f"{found.argv[0]} ended with the code {done.returncode}", advice=_WHAT_TO_DO
        )


def _linux(host: Host, notice: Notice) -> Command | None:
    folders = map(Path, host.environment.get("PATH", "").split(os.pathsep))
    entries = tuple(each for each in folders if each.is_absolute())
    for program in host.walk_path(entries, "notify-send"):
        # After `--` nothing is an option, however it begins.
        words = ("--app-name=parity-agent", "--", notice.title, notice.text)
        return Command((str(program), *words))
    return None
