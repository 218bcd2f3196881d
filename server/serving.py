"""How the server listens: Granian inside our own event loop, in one process.

One process holds the writer, the current truth, the worker and the event loop, so that a
check-in reaches the writer without leaving the process; Granian's own threads parse HTTP
and TLS beside it. The listening socket is made here and handed to Granian: by itself it
would open one with SO_REUSEPORT, and a second server on the same port would quietly take
half of the requests instead of being refused. It also tells the real port of port 0.
"""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from server.errors import ListenError, SettingsError
from server.front import Front
from server.settings import Settings

_BACKLOG = 1_024

_log = structlog.stdlib.get_logger("server.serving")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on an address that nobody else listens on.

    Raises:
        ListenError: The port is taken, may not be used, or the address is not ours.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host} port {port}: {_reason(error)}", advice=_advice(error)
        ) from error


def address_of(listening: socket.socket, *, tls: bool) -> str:
    """The web address of a listening socket."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


async def serve(
    front: Front, listening: socket.socket, settings: Settings, ready: Callable[[], None]
) -> None:
    """Serves until SIGTERM or SIGINT, then ends what is under way.

    Args:
        front: What answers.
        listening: A socket from `listen`.
        settings: Certificate, timeouts and bounds.
        ready: Called once connections are accepted.

    Raises:
        SettingsError: The certificate or its key cannot be used.
    """
    server = embedded(front, Interfaces.RSGI, listening, settings)
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve())
    interrupt: Callable[[], None] = server.stop

    def cut_off() -> None:
        # Granian's thread may yet report to what is cancelled here.
        loop.set_exception_handler(lambda _loop, _context: None)
        serving.cancel()

    def stop() -> None:
        interrupt()
        loop.call_later(settings.stop_timeout_s, cut_off)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    # Granian answers as soon as its task has run once; connections wait in the backlog.
    loop.call_soon(ready)
    await asyncio.wait([serving])
    if serving.cancelled():
        _log.warning("requests were cut off", stop_timeout_s=settings.stop_timeout_s)
    else:
        serving.result()


def embedded(
    target: object, interface: Interfaces, listening: socket.socket, settings: Settings
) -> Server:
    """Granian for an application on a socket, with the settings of a server.

    Args:
        target: What answers.
        interface: The way in which it is called.
        listening: A socket from `listen`; Granian closes it.
        settings: Certificate, timeouts and bounds.

    Raises:
        SettingsError: The certificate or its key cannot be used.
    """
    try:
        return _Embedded(
            target,
            listening,
            interface=interface,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=int(settings.header_timeout_s * 1000)),
            websockets=False,
            backlog=_BACKLOG,
            backpressure=settings.connections_max,
            log_enabled=False,
            ssl_cert=settings.tls_cert,
            ssl_key=settings.tls_key,
        )
    except OSError as error:
        pair = f"{settings.tls_cert} and {settings.tls_key}"
        raise SettingsError(
            f"cannot use the certificate and key {pair}: {error.strerror or error}",
            advice="name a readable PEM certificate with the key that belongs to it",
        ) from error


class _Embedded(Server):
    """Granian's embedded server on a socket that is already listening."""

    def __init__(self, target: object, listening: socket.socket, **options: Any) -> None:
        super().__init__(target, **options)
        self._listening = listening

    def _init_shared_socket(self) -> None:
        is_unix_socket = False
        holder: Any = SocketHolder  # its stub tells no arguments
        # From here on the socket is Granian's, which closes it.
        self._shd: Any = holder(self._listening.detach(), is_unix_socket, _BACKLOG)


def _reason(error: OSError) -> str:
    # create_server adds its own words to the system's; a resolver's number is no errno.
    known = error.errno in errno.errorcode
    return os.strerror(error.errno) if known and error.errno else str(error.strerror or error)


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "stop what listens there, or give another --port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return "give a --port above 1023"
    return "give a --host that this machine has, such as 127.0.0.1"
