"""The way to a server, as it is told."""

from pathlib import Path

import pytest

from agent import route
from agent.examination import Route
from agent.settings import Settings

URL = "https://parity.example.com"
NAMES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own way is none of a test's."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def told(monkeypatch: pytest.MonkeyPatch, url: str = URL, **variables: str) -> Route:
    """The way with these variables set, which `requests` reads by itself."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return route.of(Settings(), url, variables)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_is_told_with_the_variable_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its password is not."""
    secret = {name: "http://someone:pa55word@proxy.example.com:3128"}
    found = told(monkeypatch, **secret)
    assert (found.proxy, found.proxy_from) == ("proxy.example.com:3128", name)
    assert "pa55word" not in str(found)


@pytest.mark.parametrize(
    ("url", "variables"),
    [
        (URL, {}),
        (URL, {"HTTP_PROXY": "http://proxy.example.com:3128"}),
        (URL, {"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "example.com"}),
        ("http://127.0.0.1:8080", {"HTTP_PROXY": "http://proxy:1"}),
        ("https://localhost", {"HTTPS_PROXY": "http://proxy:1"}),
    ],
)
def test_no_proxy_is_told_where_none_is_used(
    monkeypatch: pytest.MonkeyPatch, url: str, variables: dict[str, str]
) -> None:
    """For another scheme, for a name that is left out, and on this machine."""
    assert told(monkeypatch, url, **variables).proxy is None


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        ("proxy:3128", "proxy:3128"),
        ("http://proxy:3128/path", "proxy:3128"),
        ("http://u:p@[::1]:3128", "[::1]:3128"),
        ("u:p@proxy", "proxy"),
        ("http://", "an address that cannot be read"),
        ("http://u:pa/ss@proxy:3128", "proxy:3128"),
        ("u:pa?s#s@proxy", "proxy"),
        ("http://u:p@[proxy", "[proxy"),
    ],
)
def test_a_proxy_is_shown_without_what_opens_it(proxy: str, shown: str) -> None:
    """Host and port only."""
    assert route.without_secrets(proxy) == shown


def test_the_authorities_are_those_that_are_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting over the variables, these over the system's."""
    assert told(monkeypatch).trust_from == "the system's store and certifi's list"
    assert told(monkeypatch, CURL_CA_BUNDLE="/c").trust == "/c"
    both = told(monkeypatch, CURL_CA_BUNDLE="/c", REQUESTS_CA_BUNDLE="/r")
    assert (both.trust, both.trust_from) == ("/r", "the variable REQUESTS_CA_BUNDLE")
    own = route.of(Settings(ca_bundle=Path("/own")), URL, {"REQUESTS_CA_BUNDLE": "/r"})
    assert (own.trust, own.trust_from) == ("/own", "the setting ca_bundle")
