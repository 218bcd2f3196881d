"""Tells the service manager how the server stands: the protocol of sd_notify(3), a datagram.

So `systemctl start` returns when connections are accepted, and fails with our own line when
that cannot be. Where no manager asked to be told, nothing is sent.
"""

import socket
from collections.abc import Mapping

import structlog

READY = "READY=1"
"""Connections are accepted."""

STOPPING = "STOPPING=1"
"""No more are, and what has begun is being answered."""

_VARIABLE = "NOTIFY_SOCKET"

_log = structlog.stdlib.get_logger("server.supervisor")


def tell(state: str, environment: Mapping[str, str]) -> None:
    """Tells a state to the manager that the environment names, if it names one."""
    address = environment.get(_VARIABLE)
    if not address:
        return
    # An at sign stands for the zero byte of an abstract address (sd_notify(3)).
    path = f"\0{address[1:]}" if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
            sending.sendto(state.encode(), path)
    except OSError as error:
        _log.warning("the service manager was not told", state=state, reason=error.strerror)
