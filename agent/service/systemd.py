"""The service as a systemd user unit. Pure.

It is hardened as far as what it must see allows. Whatever gives a service its own view of the
file system (``ProtectSystem``, ``PrivateTmp``, ``ReadWritePaths`` and their kin) puts a user's
service into a user namespace of its own (systemd.exec(5), "PrivateUsers"). From within one the
kernel refuses to tell which program a process of the same user outside executes
(ptrace(2), "PTRACE_MODE_READ"), and running sessions would be invisible. So there is none of these
here, nor ``ProtectProc``: what remains is done by filters on system calls and by control groups.

The limits leave room: the agent needs less than 48 MiB, and what it reads while it hashes a
program counts as memory too, which the system takes back before it stops anything.
"""

from agent.service.interface import END_WITHIN_S, NAMES, NICENESS, RESTART_AFTER_S, Unit
from agent.service.launch import Launch

_TEXT = """\
[Unit]
Description=Build Parity: tells which Claude Code builds and settings this user runs

[Service]
Type=exec
ExecStart={command}
{environment}
Restart=on-failure
RestartSec={restart}
TimeoutStopSec={end}
UMask=0077

# It gives way to every other program.
Nice={nice}
IOSchedulingClass=idle
CPUWeight=20
CPUQuota=50%
MemoryHigh=128M
MemoryMax=256M
MemorySwapMax=64M
TasksMax=32

# Nothing here makes a namespace: from within one, the user's processes could not be seen.
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


def unit(launch: Launch) -> Unit:
    """The user unit: systemd.service(5), systemd.exec(5), systemd.resource-control(5)."""
    command = (*launch.command, "run")
    told = launch.environment.items()
    body = _TEXT.format(
        command=" ".join(_quoted(each).replace("$", "$$") for each in command),
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in told),
        restart=RESTART_AFTER_S,
        end=END_WITHIN_S,
        nice=NICENESS,
    )
    folder = (launch.config_home or launch.home / ".config") / "systemd" / "user"
    name = NAMES["systemd"]
    # What `systemctl enable` makes; made here too, since it wants a manager that runs.
    link = folder / "default.target.wants" / name
    return Unit("systemd", folder / name, body.encode(), link=link)


def _quoted(word: str) -> str:
    # systemd.syntax(7), "Quoting"; a percent sign begins a specifier (systemd.unit(5)).
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
