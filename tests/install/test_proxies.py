"""The proxies' examples: they allow what the server allows, and nginx serves through its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import trustme

from agent.settings import Settings as AgentSettings
from agent.wire import PROFILE_MAX_BYTES
from server.settings import Settings
from tests.conftest import missing
from tests.e2e.waiting import wait_until
from tests.server.asking import check_in, signed
from tests.server.live import PATIENCE_S, Live

FOLDER = Path(__file__).resolve().parents[2] / "install" / "server"
NGINX, CADDY = FOLDER / "nginx.conf", FOLDER / "Caddyfile"


def _seconds(file: Path, directive: str) -> float:
    """The one value of a directive that is a time."""
    (found,) = re.findall(rf"^\s+{directive} (\d+)s;?$", file.read_text(), re.MULTILINE)
    return float(found)


def _bytes(file: Path, directive: str) -> int:
    (found,) = re.findall(rf"^\s+{directive} (\d+)(?:k;|KiB)$", file.read_text(), re.MULTILINE)
    return int(found) * 1_024


@pytest.mark.parametrize(
    ("file", "head", "body", "answer"),
    [
        (NGINX, "client_header_timeout", "client_body_timeout", "proxy_read_timeout"),
        (CADDY, "read_header", "read_body", "response_header_timeout"),
    ],
    ids=["nginx", "caddy"],
)
def test_times_are_those_of_the_server(file: Path, head: str, body: str, answer: str) -> None:
    """And an answer is waited for as long as an agent waits for it."""
    server = Settings()
    assert _seconds(file, head) == server.header_timeout_s
    assert _seconds(file, body) == server.body_timeout_s
    assert _seconds(file, answer) == AgentSettings().http_timeout_s


@pytest.mark.parametrize(
    ("file", "directive"), [(NGINX, "client_max_body_size"), (CADDY, "max_size")]
)
def test_the_largest_body_is_a_profile(file: Path, directive: str) -> None:
    """The server reads no larger one unless its settings are raised."""
    server = Settings()
    largest = max(PROFILE_MAX_BYTES, server.check_in_max_bytes, server.request_max_bytes)
    assert _bytes(file, directive) == largest


def test_no_connection_is_kept_for_longer_than_the_server_keeps_it() -> None:
    """Else the proxy would send a request into one that closes."""
    (upstream,) = re.findall(r"upstream .*?\n}", NGINX.read_text(), re.DOTALL)
    (kept,) = re.findall(r"keepalive_timeout (\d+)s", upstream)
    assert int(kept) < Settings().header_timeout_s
    assert _seconds(CADDY, "keepalive") < Settings().header_timeout_s


@pytest.mark.parametrize("file", [NGINX, CADDY])
def test_it_asks_the_server_where_it_listens(file: Path) -> None:
    """By the default address."""
    server = Settings()
    assert f"{server.host}:{server.port}" in file.read_text()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A running server of the test's own."""
    server = Live(tmp_path / "data").start()
    yield server
    if server.process is not None:
        server.stop()


@dataclass(frozen=True)
class Proxied:
    """A server behind a real nginx.

    Attributes:
        url: The proxy's address.
        trusted: PEM file of who issued its certificate.
    """

    url: str
    trusted: Path

    def post(self, path: str, body: bytes, token: str) -> requests.Response:
        """Sends a body through the proxy."""
        return requests.post(
            self.url + path,
            data=body,
            headers=signed(token),
            verify=str(self.trusted),
            timeout=PATIENCE_S,
        )


@contextmanager
def _behind_nginx(live: Live, folder: Path) -> Iterator[Proxied]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        missing("nginx is not installed")
    port = _written(live, folder)
    words = [str(nginx), "-p", str(folder), "-c", str(folder / "whole.conf"), "-e", "stderr"]
    tested = subprocess.run(
        [*words, "-t"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr
    process = subprocess.Popen(words)
    try:
        wait_until(lambda: _listens(port))
        yield Proxied(f"https://127.0.0.1:{port}", folder / "ca.pem")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _written(live: Live, folder: Path) -> int:
    """Writes the example for a server's port into a whole configuration; the proxy's port."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    example = NGINX.read_text().replace("127.0.0.1:8470", live.url.removeprefix("http://"))
    example = example.replace("listen 443", f"listen 127.0.0.1:{port}")
    example = example.replace("/etc/build-parity", str(folder))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "whole.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; events {{}}\n"
        f"http {{ access_log off; {temporary} {example} }}\n"
    )
    return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_laptop_is_answered_through_nginx_and_a_large_body_is_not(
    live: Live, tmp_path: Path
) -> None:
    """By the example itself: what it forbids never reaches the server."""
    secret = live.printed("enrolment-secret", "create")
    token = live.enrol("behind nginx", "0" * 32, secret)
    body = json.dumps(check_in()).encode()
    with _behind_nginx(live, tmp_path) as proxied:
        answer = proxied.post("/v1/check-ins", body, token)
        assert (answer.status_code, answer.json()["state"]) == (200, "unknown")
        assert (
            proxied.post("/v1/profiles/x", b"x" * (PROFILE_MAX_BYTES + 1), token).status_code == 413
        )
    assert live.stop() == 0
    assert "413" not in live.log
