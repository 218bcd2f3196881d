"""A network as companies have them: a proxy for every way out, and authorities of their own."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme
from pytest_httpserver import HTTPServer

from agent import route, trust
from agent.errors import ExchangeError
from agent.settings import Settings
from agent.transport import Transport
from tests.agent.connect_proxy import ConnectProxy

URL = "https://parity.invalid"
SETTINGS = Settings(connect_timeout_s=5, http_timeout_s=5)
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", *trust.VARIABLES)


@dataclass(frozen=True)
class Company:
    """A server that has a name only the proxy knows, and the authority behind it.

    Attributes:
        proxy: The only way to the server.
        bundle: The authority's certificate.
    """

    proxy: ConnectProxy
    bundle: Path


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """The network; this machine's own way out is none of the test's."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("parity.invalid").configure_cert(context)
    bundle = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with HTTPServer(host="localhost", ssl_context=context) as server:
        server.expect_request("/v1/machines/me").respond_with_data(b"{}")
        with ConnectProxy(server.port) as proxy:
            yield Company(proxy, bundle)


def test_the_server_is_reached_through_the_proxy_by_the_companys_authority(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy is told the server's name and nothing else."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    with Transport(replace(SETTINGS, ca_bundle=company.bundle), URL, "t0ken") as transport:
        assert transport.send("GET", "v1/machines/me").status == 200
    ((first, headers),) = company.proxy.asked
    assert first == "CONNECT parity.invalid:443 HTTP/1.0"
    assert "authorization" not in headers
    assert b"t0ken" not in company.proxy.carried


def test_a_proxy_gets_the_password_that_is_for_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the way that is told holds none."""
    proxy = f"http://kim:pa55word@{company.proxy.address}"
    monkeypatch.setenv("https_proxy", proxy)
    settings = replace(SETTINGS, ca_bundle=company.bundle)
    with Transport(settings, URL, "t0ken") as transport:
        transport.send("GET", "v1/machines/me")
    assert company.proxy.asked[0][1]["proxy-authorization"] == "Basic a2ltOnBhNTV3b3Jk"
    told = route.of(settings, URL, {"https_proxy": proxy})
    assert (told.proxy, told.proxy_from) == (company.proxy.address, "https_proxy")
    assert told.trust == str(company.bundle)


def test_the_authorities_may_come_by_the_variable_that_requests_knows(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they do for most programs in a company."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company.bundle))
    with Transport(SETTINGS, URL, "t0ken") as transport:
        assert transport.send("GET", "v1/machines/me").status == 200


def test_a_setting_of_ones_own_wins_over_the_variable(
    company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever set it knew what for."""
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company.bundle))
    settings = replace(SETTINGS, ca_bundle=stranger)
    with (
        Transport(settings, URL, "t0ken") as transport,
        pytest.raises(ExchangeError, match="not trusted here"),
    ):
        transport.send("GET", "v1/machines/me")


def test_an_authority_in_the_systems_store_is_trusted_through_a_proxy_too(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a company puts it, and nothing has to be set; OpenSSL's store is moved here."""
    monkeypatch.setenv("SSL_CERT_FILE", str(company.bundle))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    with Transport(SETTINGS, URL, "t0ken") as transport:
        assert transport.send("GET", "v1/machines/me").status == 200
    assert route.of(SETTINGS, URL, {}).trust_from == "the system's store and certifi's list"


def test_a_file_that_is_named_stands_alone(
    company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The system's store would trust the server, and is not asked."""
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    monkeypatch.setenv("SSL_CERT_FILE", str(company.bundle))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    with (
        Transport(replace(SETTINGS, ca_bundle=stranger), URL, "t0ken") as transport,
        pytest.raises(ExchangeError, match="not trusted here"),
    ):
        transport.send("GET", "v1/machines/me")


def test_a_companys_authority_that_nobody_named_is_not_trusted(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What helps is said."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    with (
        Transport(SETTINGS, URL, "t0ken") as transport,
        pytest.raises(ExchangeError) as refused,
    ):
        transport.send("GET", "v1/machines/me")
    assert "ca_bundle" in refused.value.advice
    assert b"t0ken" not in company.proxy.carried


def test_a_server_that_is_left_out_is_asked_directly(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By NO_PROXY: here its name leads nowhere then, and the proxy hears of nothing."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{company.proxy.address}")
    monkeypatch.setenv("NO_PROXY", "other.example.com,.invalid")
    with (
        Transport(SETTINGS, URL, "t0ken") as transport,
        pytest.raises(ExchangeError, match="cannot be found"),
    ):
        transport.send("GET", "v1/machines/me")
    assert company.proxy.asked == []
