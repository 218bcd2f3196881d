"""The transport against a real HTTP receiver."""

import socket
import ssl
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.errors import ExchangeError
from agent.settings import Settings
from agent.transport import Transport, retry_after_s

SETTINGS = Settings(connect_timeout_s=5, http_timeout_s=5, answer_max_bytes=4096)
NOW = 1_795_000_000.0


def ask(url: str, settings: Settings = SETTINGS) -> ExchangeError:
    """The error of one question."""
    with Transport(settings, url, "tok") as transport, pytest.raises(ExchangeError) as caught:
        transport.send("GET", "v1/machines/me")
    assert caught.value.advice
    return caught.value


def test_bytes_go_and_come_as_they_are(httpserver: HTTPServer) -> None:
    """The body is not written anew on the way, and the token is in the header."""
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(request.get_data()[::-1], status=201, mimetype="application/json")

    httpserver.expect_request("/under/v1/check-ins", method="POST").respond_with_handler(answer)
    with Transport(SETTINGS, httpserver.url_for("/under/"), "tok") as transport:
        got = transport.send("POST", "v1/check-ins", b'{"b": 1,"a":2}')
    assert (got.status, got.body, got.retry_after_s) == (201, b'}2:"a",1 :"b"{', 0)
    assert seen[0].headers["Authorization"] == "Bearer tok"
    assert seen[0].headers["Content-Type"] == "application/json"


def test_an_enrolment_carries_no_token_of_a_netrc(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token of our own nothing else takes its place."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/v1/enrolments").respond_with_handler(
        lambda request: Response(str("Authorization" in request.headers))
    )
    with Transport(SETTINGS, httpserver.url_for(""), None) as transport:
        assert transport.send("POST", "v1/enrolments", b"{}").body == b"False"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
def test_a_redirect_is_not_followed(httpserver: HTTPServer, status: int) -> None:
    """The token goes to one server, whatever that one says."""
    elsewhere = httpserver.url_for("/elsewhere")
    httpserver.expect_request("/v1/machines/me").respond_with_data(
        b"", status=status, headers={"Location": elsewhere}
    )
    assert "another address" in str(ask(httpserver.url_for("")))
    assert [request.path for request, _ in httpserver.log] == ["/v1/machines/me"]


def test_a_proxy_is_not_used_for_this_machine(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for loopback is not shown to a proxy that the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    httpserver.expect_request("/v1/machines/me").respond_with_data(b"{}")
    with Transport(SETTINGS, httpserver.url_for(""), "tok") as transport:
        assert transport.send("GET", "v1/machines/me").body == b"{}"


def test_a_proxy_that_is_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond this machine the environment's proxy is used."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert "proxy" in str(ask("https://parity.example.com"))


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("socks5://127.0.0.1:9", "SOCKS"),
        ("http://[127.0.0.1", "cannot be read"),
        ("http://kim:pa/55word@127.0.0.1:9", "cannot be read"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str, said: str
) -> None:
    """It is no fault of the network's."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = ask("https://parity.example.com")
    assert said in str(error)
    assert "HTTPS_PROXY" in error.advice
    assert "55word" not in f"{error} {error.advice}"


def test_a_large_answer_is_not_read_to_its_end(httpserver: HTTPServer) -> None:
    """Reading stops at the limit, also of what a compressed body grows to."""
    httpserver.expect_request("/v1/machines/me").respond_with_data(b"x" * 5000)
    assert "larger than 4096 bytes" in str(ask(httpserver.url_for("")))


@pytest.mark.parametrize("status", [200, 511])
def test_a_sign_in_page_is_told_as_one(httpserver: HTTPServer, status: int) -> None:
    """A network that asks people to sign in answers for every server."""
    httpserver.expect_request("/v1/machines/me").respond_with_data(
        "<html>Welcome", status=status, content_type="text/html; charset=utf-8"
    )
    assert "sign in" in ask(httpserver.url_for("")).advice


def test_a_proxys_busy_page_keeps_its_retry_after(httpserver: HTTPServer) -> None:
    """A status that means something is passed on, whatever page comes with it."""
    httpserver.expect_request("/v1/machines/me").respond_with_data(
        "<html>", status=503, content_type="text/html", headers={"Retry-After": "120"}
    )
    with Transport(SETTINGS, httpserver.url_for(""), "tok") as transport:
        got = transport.send("GET", "v1/machines/me")
    assert (got.status, got.retry_after_s) == (503, 120)


def test_a_refused_connection_is_told() -> None:
    """Nothing listens on a port that was just given back."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert "refused the connection" in str(ask(f"http://127.0.0.1:{port}"))


def test_a_silent_server_is_told() -> None:
    """It accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(connect_timeout_s=1, http_timeout_s=0.2)
        assert "in time" in str(ask(f"http://127.0.0.1:{silent.getsockname()[1]}", settings))


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_is_checked_against_the_given_authorities(
    tmp_path: Path,
    trusted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The right authority is accepted; any other one is an error with advice."""
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    (authority if trusted else stranger).cert_pem.write_to_path(str(bundle))
    settings = Settings(connect_timeout_s=5, http_timeout_s=5, ca_bundle=bundle)
    with HTTPServer(host="localhost", ssl_context=context) as server:
        server.expect_request("/v1/machines/me").respond_with_data(b"{}")
        if not trusted:
            assert "not trusted" in str(ask(server.url_for(""), settings))
            return
        with Transport(settings, server.url_for(""), "tok") as transport:
            assert transport.send("GET", "v1/machines/me").status == 200


def test_a_server_that_speaks_no_tls_is_not_called_untrusted(httpserver: HTTPServer) -> None:
    """The address says https, and the port is one of plain http."""
    error = ask(httpserver.url_for("").replace("http:", "https:"))
    assert "does not speak TLS on this port" in str(error)
    assert error.advice == "check the address (http or https) and the port"


def test_a_missing_ca_bundle_is_told(tmp_path: Path) -> None:
    """The settings name a file that is not there."""
    settings = Settings(ca_bundle=tmp_path / "gone.pem")
    assert "ca_bundle" in ask("https://localhost:1", settings).advice


def test_http_beyond_loopback_is_refused_before_anything_is_sent() -> None:
    """The transport does not rely on the settings alone."""
    with pytest.raises(ExchangeError, match="is http beyond this machine"):
        Transport(SETTINGS, "http://parity.example.com", "tok")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("-5", 0),
        ("soon", 0),
        ("٣", 0),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    """Both forms of RFC 9110 are read; anything else asks for no wait."""
    assert retry_after_s(header, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_a_wait_that_is_not_negative(header: str) -> None:
    """No header can make the agent fail."""
    assert retry_after_s(header, NOW) >= 0
