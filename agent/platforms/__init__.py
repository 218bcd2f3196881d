"""The live `Host` of the system that runs the agent.

One module per system, named as ``sys.platform`` names it: each offers ``live``. These
modules and `common` are the only system-specific code.
"""

import importlib
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path

from agent.errors import AgentError
from agent.host import Host

_SHARED = frozenset(
    {"common", "managers", "mending", "mounts", "notices", "posix", "priority", "processes"}
)


def known() -> tuple[str, ...]:
    """The systems that have a module here, sorted."""
    names = (info.name for info in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if name not in _SHARED))


def live(
    *,
    home: Path,
    system_root: Path | None,
    environment: Mapping[str, str],
    process_roots: tuple[int, ...] | None = None,
) -> Host:
    """The user of this process, or another home of this machine, as a `Host`.

    Args:
        home: The home folder to look at, absolute.
        system_root: Put before every system-wide path, to look at a scratch machine;
            None for the real root.
        environment: What the agent was started with.
        process_roots: Only these processes and their descendants are looked at; None for all
            of this user's, or for none where there is a system root.

    Raises:
        AgentError: The agent does not know this system.
    """
    if sys.platform not in known():
        raise AgentError(
            f"the agent does not know the system {sys.platform!r}",
            advice=f"run it on one of: {', '.join(known())}",
        )
    module = importlib.import_module(f"{__name__}.{sys.platform}")
    host: Host = module.live(
        home=home,
        system_root=system_root,
        environment=environment,
        process_roots=process_roots,
    )
    return host
