"""A deadline for all of a request: its connections are shut when its time is over.

A socket's timeout is for one underlying read. Whoever sends a byte now and then of a TLS
handshake, of a header or of a chunk's length never meets it, nor anybody who looks between
reads. So what is left of a request after its deadline loses its connection.
"""

import contextlib
import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

CUT_AFTER_S = 1.0
"""How long after its deadline a request is cut off, in seconds: what sees to it by itself is
told better."""


class Deadline(HTTPAdapter):
    """Opens a session's connections, and shuts them when its time is over.

    Args:
        seconds: From now on.
    """

    def __init__(self, seconds: float) -> None:
        self._opened: list[socket.socket] = []
        self._is_over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds + CUT_AFTER_S, self._cut)
        self._timer.daemon = True
        super().__init__()
        self._timer.start()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Makes connections that are watched."""
        super().init_poolmanager(*args, **kwargs)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        """Makes connections through a proxy that are watched."""
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        self._watch(manager)
        return manager

    def close(self) -> None:
        """Ends the watch, as the session ends."""
        self._timer.cancel()
        super().close()
        with self._lock:
            for each in self._opened:
                each.close()
            self._opened = []

    def _watch(self, manager: PoolManager) -> None:
        def opened(sock: socket.socket) -> socket.socket:
            # TLS takes the descriptor over, so the connection is remembered by one of its own.
            with self._lock:
                self._opened.append(sock.dup())
                if self._is_over:
                    _shut(sock)
            return sock

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return opened(super()._new_conn())

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return opened(super()._new_conn())

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def _cut(self) -> None:
        with self._lock:
            self._is_over = True
            for each in self._opened:
                _shut(each)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # its peer may have left
        sock.shutdown(socket.SHUT_RDWR)
