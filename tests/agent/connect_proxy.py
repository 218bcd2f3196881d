"""A company's proxy: tunnels what it is asked to, and sees what a proxy sees."""

import contextlib
import select
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65_536
_TIMEOUT_S = 30


@dataclass
class ConnectProxy:
    """Listens on loopback; whatever name is asked for leads to one server.

    Attributes:
        target_port: Of the server on loopback.
        asked: The first line of every request, and its headers.
        carried: All bytes that went through the tunnels.
    """

    target_port: int
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    carried: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Self:
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                proxy.serve(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def serve(self, handler: socketserver.StreamRequestHandler) -> None:
        """One client, from its CONNECT to its end (RFC 9110 9.3.6)."""
        first = handler.rfile.readline().decode().strip()
        headers = {}
        while line := handler.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.asked.append((first, headers))
        address = ("127.0.0.1", self.target_port)
        with socket.create_connection(address, timeout=_TIMEOUT_S) as target:
            handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with contextlib.suppress(OSError):
                self._tunnel(handler.connection, target)

    def _tunnel(self, client: socket.socket, target: socket.socket) -> None:
        other = {client: target, target: client}
        while True:
            ready, _, _ = select.select([client, target], [], [], _TIMEOUT_S)
            for side in ready:
                data = side.recv(_CHUNK_BYTES)
                if not data:
                    return
                self.carried += data
                other[side].sendall(data)
