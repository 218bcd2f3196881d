"""A real HTTP receiver in Slack's place."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.e2e.served import Served


class Slack(Served):
    """Takes what is sent to an incoming webhook; a context manager.

    Attributes:
        messages: The bodies of accepted messages, oldest first.
        refusals: Answers to give first, as (status, headers); each is used once.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self._came = threading.Condition()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        """The webhook's address, with the secret part that such addresses have."""
        return f"{self.origin}/services/T0/B0/canary-webhook"

    def wait_for(self, count: int, timeout_s: float) -> list[dict[str, Any]]:
        """All messages, once there are `count` of them or the time is over."""
        ends = time.monotonic() + timeout_s
        with self._came:
            while len(self.messages) < count and (left := ends - time.monotonic()) > 0:
                self._came.wait(left)
            return list(self.messages)

    def _take(self, body: bytes) -> tuple[int, dict[str, str]]:
        with self._came:
            if self.refusals:
                return self.refusals.pop(0)
            self.messages.append(json.loads(body))
            self._came.notify_all()
            return 200, {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = take(body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok" if status == 200 else b"refused")

            def log_message(self, *_: object) -> None:
                """Says nothing: the test tells what matters."""

        return Handler
