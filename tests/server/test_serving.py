"""Stopping while laptops talk: what has begun is answered, and what was not answered not taken."""

import json
import secrets
import signal
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import requests

from tests.e2e.waiting import wait_until
from tests.server.asking import check_in, signed
from tests.server.live import PATIENCE_S, Live

LAPTOPS = 4
ANSWERS_FIRST = 5
"""Answers that each laptop has had before the server is stopped."""

REQUESTS_MAX = 2_000
"""Of each laptop, so that a server which does not stop ends the test all the same."""


def _enrolled(live: Live) -> list[str]:
    secret = live.printed("enrolment-secret", "create")
    return [live.enrol(f"laptop {n}", secrets.token_hex(16), secret) for n in range(LAPTOPS)]


def _connected(live: Live) -> socket.socket:
    host, _, port = live.url.removeprefix("http://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def _refuses(live: Live) -> bool:
    try:
        _connected(live).close()
    except ConnectionRefusedError:
        return True
    return False


def _whole(connection: socket.socket) -> bytes:
    """All that comes until the server closes; raises if it resets."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def test_what_has_begun_is_answered_after_new_connections_are_refused(live: Live) -> None:
    """Half a check-in had arrived when it was told to stop; the other half is waited for."""
    live.start()
    body = json.dumps(check_in()).encode()
    begun = []
    for token in _enrolled(live):
        connection = _connected(live)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed(token).items())
        head = (
            f"POST /v1/check-ins HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:20])
        begun.append(connection)
    assert requests.get(f"{live.url}/healthz", timeout=PATIENCE_S).ok
    assert live.process is not None
    live.process.send_signal(signal.SIGTERM)
    wait_until(lambda: _refuses(live))
    for connection in begun:
        with connection:
            connection.sendall(body[20:])
            answer = _whole(connection)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close\r\n" in answer
    assert live.stop() == 0
    assert "were cut off" not in live.log


@dataclass
class Talk:
    """One laptop that checks in without a pause.

    Attributes:
        acknowledged: The highest number that was acknowledged.
        ended: What ended it.
    """

    token: str
    acknowledged: int = 0
    ended: Exception | None = None

    def run(self, url: str) -> None:
        """Checks in until the server is gone."""
        with requests.Session() as session:
            for number in range(1, REQUESTS_MAX):
                try:
                    answer = self.send(url, number, session)
                except requests.ConnectionError as error:
                    self.ended = error
                    return
                assert answer.status_code == 200, answer.text
                self.acknowledged = number

    def send(self, url: str, number: int, session: requests.Session) -> requests.Response:
        """One check-in of this laptop."""
        return session.post(
            f"{url}/v1/check-ins",
            data=json.dumps(check_in(seq=number)),
            headers=signed(self.token),
            timeout=PATIENCE_S,
        )


def test_under_load_what_was_acknowledged_is_kept_and_nothing_else_taken(live: Live) -> None:
    """Every check-in was either answered, or the server knows nothing of it."""
    live.start()
    talks = [Talk(token) for token in _enrolled(live)]
    with ThreadPoolExecutor(LAPTOPS) as pool:
        running: list[Future[None]] = [pool.submit(talk.run, live.url) for talk in talks]
        wait_until(lambda: all(talk.acknowledged >= ANSWERS_FIRST for talk in talks))
        assert live.stop() == 0
        for each in running:
            each.result()
    assert all(talk.ended for talk in talks)
    live.start()
    with requests.Session() as session:
        for talk in talks:
            last = talk.send(live.url, talk.acknowledged, session).json()
            assert not last.get("resync", False), "it knows of a later one"
            one_less = talk.send(live.url, talk.acknowledged - 1, session).json()
            assert one_less["resync"], "it does not know of the last one"
