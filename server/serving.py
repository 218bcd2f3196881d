"""How the server listens: Granian inside our own event loop, in one process.

One process holds the writer, the current truth, the worker and the event loop, so that a
check-in reaches the writer without leaving the process; Granian's own threads parse HTTP
and TLS beside it. The listening socket is made here and handed to Granian: by itself it
would open one with SO_REUSEPORT, and a second server on the same port would quietly take
half of the requests instead of being refused. It also tells the real port of port 0.

A renewed certificate is taken into use by a second Granian on the same socket; the first one
then accepts no more, answers what it has, and ends. Only a connection whose TLS handshake is
under way at that moment has to be made again.

A stop first ends each connection with its next answer, so that no client sends a request into
a connection that closes; then nothing is accepted, and what has begun is answered.
"""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from server import supervisor
from server.certificate import LOOK_EVERY_S, QUIET_S, Certificate, check
from server.errors import ListenError, SettingsError
from server.front import Front
from server.settings import Settings

_BACKLOG = 1_024

_WIND_DOWN_S = 0.25
"""Seconds in which each answer ends its connection, before those without a request are ended."""

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
        listening: A socket from `listen`, which is closed at the end.
        settings: Certificate, timeouts and bounds.
        ready: Called once connections are accepted.

    Raises:
        SettingsError: The certificate or its key cannot be used.
        ListenError: Granian ended by itself.
    """
    loop = asyncio.get_running_loop()
    serving, look = _Serving(front, listening, settings), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.over.set)
    loop.add_signal_handler(signal.SIGHUP, look.set)
    certificate = None
    if settings.tls_cert and settings.tls_key:
        certificate = Certificate(settings.tls_cert, settings.tls_key)

    def accepting() -> None:
        ready()
        supervisor.tell(supervisor.READY, os.environ)

    serving.begin(accepting)
    following = loop.create_task(serving.follow(certificate, look)) if certificate else None
    await serving.over.wait()
    supervisor.tell(supervisor.STOPPING, os.environ)
    if following:
        following.cancel()
    await serving.stop()


class _Serving:
    """The Granians on one socket: the latest accepts, older ones end what they have.

    Attributes:
        over: Set when the serving is to end, or has ended by itself.
    """

    def __init__(self, front: Front, listening: socket.socket, settings: Settings) -> None:
        self.over = asyncio.Event()
        self._front = front
        self._listening = listening
        self._settings = settings
        self._running: dict[asyncio.Task[None], Callable[[], None]] = {}  # how each is stopped
        self._latest: asyncio.Task[None] | None = None

    def begin(self, ready: Callable[[], None]) -> None:
        """Begins to accept, with the certificate that lies on disk.

        Args:
            ready: Called once connections are accepted.

        Raises:
            SettingsError: It or its key cannot be used.
        """
        server = embedded(self._front, Interfaces.RSGI, self._listening, self._settings, ready)
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(server.serve())
        self._running[task] = server.stop
        self._latest = task
        task.add_done_callback(self._ended)

    async def follow(self, certificate: Certificate, look: asyncio.Event) -> None:
        """Takes each renewed certificate into use, until it is cancelled.

        Args:
            certificate: The one in use.
            look: Set when it is to be looked at before its time.
        """
        while True:
            with suppress(TimeoutError):
                pause_s = QUIET_S if certificate.is_changing else LOOK_EVERY_S
                await asyncio.wait_for(look.wait(), pause_s)
            look.clear()
            try:
                if await asyncio.to_thread(certificate.is_renewed):
                    self._renew()
            except SettingsError as error:
                _log.warning("certificate not taken", reason=str(error), advice=error.advice)

    async def stop(self) -> None:
        """Accepts no more, and returns when what is under way is answered, or cut off.

        Raises:
            ListenError: There was nothing to stop.
        """
        if self._latest is None or self._latest.done():
            raise ListenError(
                "nothing listens any more: the HTTP part of the server has ended by itself",
                advice="see the lines before this one, and start it again",
            )
        self._front.close_connections()
        await asyncio.sleep(_WIND_DOWN_S)
        self._listening.close()
        for stop in self._running.values():
            stop()
        timeout_s = self._settings.stop_timeout_s
        _, late = await asyncio.wait(self._running, timeout=timeout_s)
        if late:
            _log.warning("requests were cut off", stop_timeout_s=timeout_s)
            # Granian's thread may yet report to what is cancelled here.
            asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    def _renew(self) -> None:
        older = list(self._running.values())

        def ready() -> None:
            for stop in older:
                stop()
            _log.info("certificate renewed")

        self.begin(ready)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if task is self._latest:
            self.over.set()
        if not task.cancelled() and task.exception():
            _log.error("serving failed", exc_info=task.exception())


def embedded(
    target: object,
    interface: Interfaces,
    listening: socket.socket,
    settings: Settings,
    ready: Callable[[], None] = lambda: None,
) -> Server:
    """Granian for an application on a socket, with the settings of a server.

    Args:
        target: What answers.
        interface: The way in which it is called.
        listening: A socket from `listen`; Granian closes its own copy of it alone.
        settings: Certificate, timeouts and bounds.
        ready: Called once connections are accepted.

    Raises:
        SettingsError: The certificate or its key cannot be used.
    """
    if settings.tls_cert and settings.tls_key:
        check(settings.tls_cert, settings.tls_key)
    return _Embedded(
        target,
        listening,
        ready,
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


class _Embedded(Server):
    """Granian's embedded server on a socket that is already listening."""

    def __init__(
        self,
        target: object,
        listening: socket.socket,
        ready: Callable[[], None],
        **options: Any,
    ) -> None:
        super().__init__(target, **options)
        self._listening = listening
        self._ready = ready

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        """Begins its one worker, which reads the certificate and accepts in its first step."""
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        asyncio.get_running_loop().call_soon(self._ready)

    def _init_shared_socket(self) -> None:
        is_unix_socket = False
        holder: Any = SocketHolder  # its stub tells no arguments
        # Granian closes the descriptor that it is given.
        self._shd: Any = holder(self._listening.dup().detach(), is_unix_socket, _BACKLOG)


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
