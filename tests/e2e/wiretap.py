"""A TCP forwarder on loopback that keeps every byte which a client sent."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536


class Wiretap:
    """Stands between an agent and its server; a context manager.

    Attributes:
        port: Where clients connect.
        sent: All bytes that clients sent, in order of arrival.
    """

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.port: int = self._listening.getsockname()[1]
        self.sent = bytearray()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        # A thread in accept wakes when the socket is shut down, not when it is closed.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._target)
                for source, sink, kept in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._forward, args=(source, sink, kept), daemon=True
                    ).start()

    def _forward(self, source: socket.socket, sink: socket.socket, kept: bool) -> None:  # noqa: FBT001
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if kept:
                    self.sent += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
