"""The fetcher: what it lets through, and how every other answer is told."""

import contextlib
import gzip
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from server.errors import SourceError
from server.fetch import Fetcher, Validators
from server.fetch_body import Limits
from server.fetch_errors import RETRY_AFTER_MAX_S, NotFoundError, retry_after_s

SMALL = Limits(max_bytes=1_000, deadline_s=20.0)


def _fetcher(httpserver: HTTPServer) -> Fetcher:
    return Fetcher(httpserver.url_for("/base"))


def _get(httpserver: HTTPServer, limits: Limits = SMALL) -> bytes | None:
    fetcher = _fetcher(httpserver)
    return fetcher.get(f"{fetcher.base_url}/x", limits, accept="*/*").body


def test_a_document_is_read_whole(httpserver: HTTPServer) -> None:
    """The bytes as they were sent."""
    httpserver.expect_request("/base/x").respond_with_data(b"abc", content_type="text/plain")
    assert _get(httpserver) == b"abc"


def test_an_unchanged_document_is_not_sent_again(httpserver: HTTPServer) -> None:
    """Validators of the last answer go with the next question; 304 has no body."""

    def answer(request: Request) -> Response:
        if request.headers.get("If-None-Match") == '"1"':
            return Response(status=304)
        return Response(b"abc", headers={"ETag": '"1"', "Last-Modified": "yesterday"})

    httpserver.expect_request("/base/x").respond_with_handler(answer)
    fetcher = _fetcher(httpserver)
    url = f"{fetcher.base_url}/x"
    first = fetcher.get(url, SMALL, accept="*/*")
    assert first.validators == Validators('"1"', "yesterday")
    second = fetcher.get(url, SMALL, accept="*/*", validators=first.validators)
    assert (first.body, second.body) == (b"abc", None)
    assert second.validators == first.validators


@pytest.mark.parametrize("validators", [None, Validators()])
def test_a_304_that_nobody_asked_for_is_no_answer(
    httpserver: HTTPServer, validators: Validators | None
) -> None:
    """Without validators there is nothing that could be unchanged."""
    httpserver.expect_request("/base/x").respond_with_data(status=304)
    fetcher = _fetcher(httpserver)
    with pytest.raises(SourceError, match="answers 304"):
        fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*", validators=validators)


def test_a_body_that_claims_to_be_too_large_is_not_read(httpserver: HTTPServer) -> None:
    """The length that is announced is enough."""
    httpserver.expect_request("/base/x").respond_with_data(b"x" * 1_001)
    with pytest.raises(SourceError, match="larger than 1000 bytes"):
        _get(httpserver)


def test_a_body_without_a_length_is_cut_at_the_limit(httpserver: HTTPServer) -> None:
    """An endless answer ends at the limit."""
    httpserver.expect_request("/base/x").respond_with_handler(
        lambda _: Response(itertools.repeat(b"x" * 100))
    )
    with pytest.raises(SourceError, match="larger than 1000 bytes"):
        _get(httpserver)


def test_a_drip_meets_the_deadline(httpserver: HTTPServer) -> None:
    """A byte at a time keeps a connection alive, but not beyond the deadline."""
    httpserver.expect_request("/base/x").respond_with_handler(
        lambda _: Response(itertools.repeat(b"x"))
    )
    with pytest.raises(SourceError, match=r"not read within 0\.2 s"):
        _get(httpserver, Limits(max_bytes=1 << 50, deadline_s=0.2))


@pytest.mark.parametrize(
    "opening",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;slow=",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_a_drip_before_the_body_is_cut_off(opening: bytes) -> None:
    """No read of a header, or of a chunk's length, ever ends: its connection does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=_drip, args=(server, opening))
        dripping.start()
        fetcher = Fetcher(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(SourceError, match=r"not read within 0\.2 s"):
            fetcher.get(f"{fetcher.base_url}/x", Limits(1 << 50, deadline_s=0.2), accept="*/*")
        dripping.join(timeout=20)
        assert not dripping.is_alive()


def test_a_proxy_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what it says before there is a tunnel to read through."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=_drip, args=(server, b"HTTP/1.1 200 OK\r\nX-Slow: "))
        dripping.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        fetcher = Fetcher("https://bucket.example/base")
        with pytest.raises(SourceError, match=r"not read within 0\.2 s"):
            fetcher.get(f"{fetcher.base_url}/x", Limits(100, deadline_s=0.2), accept="*/*")
        dripping.join(timeout=20)
        assert not dripping.is_alive()


def _drip(server: socket.socket, opening: bytes) -> None:
    """Sends an answer's beginning, and then a byte now and then until nobody listens."""
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        client.recv(4_096)
        client.sendall(opening)
        client.settimeout(0.05)
        while True:
            client.sendall(b"a")
            with contextlib.suppress(TimeoutError):
                if not client.recv(4_096):
                    return


def test_silence_meets_the_read_timeout() -> None:
    """A server that accepts and says nothing is not waited for beyond the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        fetcher = Fetcher(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(SourceError, match="cannot be reached"):
            fetcher.get(f"{fetcher.base_url}/x", Limits(100, deadline_s=0.2), accept="*/*")


def test_a_truncated_body_is_no_body(httpserver: HTTPServer) -> None:
    """Fewer bytes than announced are an error, not a short document."""

    def answer(_: Request) -> Response:
        response = Response(iter([b"abc"]), direct_passthrough=True)
        response.headers["Content-Length"] = "100"
        return response

    httpserver.expect_request("/base/x").respond_with_handler(answer)
    with pytest.raises(SourceError, match="broke off"):
        _get(httpserver)


def test_missing_is_told_apart_from_failing(httpserver: HTTPServer) -> None:
    """404 says that there is none; it is the only failure that says anything."""
    httpserver.expect_request("/base/x").respond_with_data(status=404)
    with pytest.raises(NotFoundError):
        _get(httpserver)


@pytest.mark.parametrize("status", [400, 401, 403, 407, 429, 500, 502, 503])
def test_a_failing_status_is_no_answer(httpserver: HTTPServer, status: int) -> None:
    """None of them is taken for "there is none"."""
    httpserver.expect_request("/base/x").respond_with_data(status=status)
    with pytest.raises(SourceError) as told:
        _get(httpserver)
    assert not isinstance(told.value, NotFoundError)
    assert told.value.advice


def test_retry_after_is_handed_on(httpserver: HTTPServer) -> None:
    """Who asks us to wait is waited for."""
    httpserver.expect_request("/base/x").respond_with_data(
        status=429, headers={"Retry-After": "77"}
    )
    with pytest.raises(SourceError) as told:
        _get(httpserver)
    assert told.value.retry_after_s == 77


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("999999999", RETRY_AFTER_MAX_S),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or a date (RFC 9110 section 10.2.3), bounded; nonsense is ignored."""
    assert retry_after_s(value, now=100.0) == seconds


def test_a_web_page_is_not_taken_for_a_document(httpserver: HTTPServer) -> None:
    """A network's sign-in page answers 200 to everything."""
    httpserver.expect_request("/base/x").respond_with_data(
        "<html>sign in</html>", content_type="text/html; charset=utf-8"
    )
    with pytest.raises(SourceError, match="something else") as told:
        _get(httpserver)
    assert "sign-in page" in told.value.advice


def test_an_encoding_that_nobody_asked_for_is_refused(httpserver: HTTPServer) -> None:
    """Limits hold for what arrives: nothing is unpacked on the way."""
    httpserver.expect_request("/base/x").respond_with_data(
        gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"}
    )
    with pytest.raises(SourceError, match="something else"):
        _get(httpserver)


def test_a_redirect_within_the_origin_is_followed(httpserver: HTTPServer) -> None:
    """A registry may move a document around at home."""
    httpserver.expect_request("/base/x").respond_with_data(
        status=302, headers={"Location": "/elsewhere/x"}
    )
    httpserver.expect_request("/elsewhere/x").respond_with_data(b"moved")
    assert _get(httpserver) == b"moved"


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/base/y",
        "http://127.0.0.1:1/base/y",
        "https://127.0.0.1:{port}/base/y",
        "http://169.254.169.254/latest/meta-data",
        "http://user:secret@127.0.0.1:{port}/base/y",
        "file:///etc/passwd",
        "//[",
        "",
    ],
)
def test_a_redirect_elsewhere_is_refused(httpserver: HTTPServer, location: str) -> None:
    """Another host, port or scheme is never asked, whatever the base sends us to."""
    httpserver.expect_request("/base/x").respond_with_data(
        status=302, headers={"Location": location.format(port=httpserver.port)}
    )
    with pytest.raises(SourceError) as told:
        _get(httpserver)
    assert "secret" not in str(told.value)
    assert not isinstance(told.value, NotFoundError)


@pytest.mark.parametrize(
    "base",
    [
        "http://registry.example",
        "ftp://registry.example",
        "https://user:secret@registry.example",
        "https://[",
        "https://registry.example:port",
        "registry.example",
        "",
    ],
)
def test_an_address_that_is_not_safe_to_ask_is_not_asked(base: str) -> None:
    """Plain HTTP is for this machine itself; a password does not belong in an address."""
    fetcher = Fetcher(base)
    with pytest.raises(SourceError) as told:
        fetcher.get(f"{base}/x", SMALL, accept="*/*")
    assert "secret" not in str(told.value)
    assert told.value.advice


def test_the_token_goes_to_its_base_and_is_told_nobody(httpserver: HTTPServer) -> None:
    """The header is sent; neither the object nor an error shows it."""
    seen = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return Response(status=403)

    httpserver.expect_request("/base/x").respond_with_handler(answer)
    fetcher = Fetcher(httpserver.url_for("/base"), authorization="Bearer canary")
    with pytest.raises(SourceError) as told:
        fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*")
    assert seen == ["Bearer canary"]
    assert "canary" not in f"{told.value} {told.value.advice} {fetcher!r} {vars(told.value)}"


def test_nobody_there_is_told_with_advice() -> None:
    """A refused connection says so in one line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    fetcher = Fetcher(f"http://127.0.0.1:{port}")
    with pytest.raises(SourceError, match="cannot be reached: Connection refused") as told:
        fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*")
    assert "address" in told.value.advice


@pytest.fixture
def authority() -> trustme.CA:
    """An organisation's own certificate authority, of which nobody has heard."""
    return trustme.CA()


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[HTTPServer]:
    """A server with that authority's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(host="127.0.0.1", port=0, ssl_context=context) as server:
        yield server


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server: HTTPServer) -> None:
    """There is no switch against the check; the advice names the variable."""
    with pytest.raises(SourceError, match="no certificate that this machine trusts") as told:
        _get(tls_server)
    assert "REQUESTS_CA_BUNDLE" in told.value.advice
    assert "ca_file" in told.value.advice


def test_the_authorities_of_the_settings_vouch(
    tls_server: HTTPServer,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Toward loopback, too, and before those that the environment names."""
    named = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(named)
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    tls_server.expect_request("/base/x").respond_with_data(b"abc")
    fetcher = Fetcher(tls_server.url_for("/base"), ca_file=named)
    assert fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*").body == b"abc"
    fetcher = Fetcher(tls_server.url_for("/base"), ca_file=other)
    with pytest.raises(SourceError, match="no certificate that this machine trusts"):
        fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*")


@pytest.mark.parametrize("content", [None, b"", b"not PEM"])
def test_a_file_without_authorities_is_told_as_such(
    tls_server: HTTPServer, tmp_path: Path, content: bytes | None
) -> None:
    """And nothing is asked without them."""
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    fetcher = Fetcher(tls_server.url_for("/base"), ca_file=path)
    with pytest.raises(SourceError, match=r"certificate authorities in .* cannot be read") as told:
        fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*")
    assert "ca_file" in told.value.advice
    assert tls_server.log == []


def test_a_proxy_is_asked_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is not this machine itself; it is asked for a tunnel, so it reads nothing."""
    seen = []

    def tunnel(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            seen.append(connection.recv(4_096).split(b"\r\n")[0])

    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = threading.Thread(target=tunnel, args=(server,))
        proxy.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        fetcher = Fetcher("https://releases.example")
        with pytest.raises(SourceError, match="cannot be reached"):
            fetcher.get(f"{fetcher.base_url}/x", SMALL, accept="*/*")
        proxy.join()
    assert [line.rpartition(b" ")[0] for line in seen] == [b"CONNECT releases.example:443"]
