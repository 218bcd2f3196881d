"""The one `requests` session: bytes to the server and bytes back, nothing understood.

* One server: every path is under the address that the enrolment names. Redirects are
  refused, so the token reaches no other place.
* The token is set by an auth object of our own, which also keeps `requests` from putting
  a ``.netrc`` password in its stead.
* Certificates are always checked, against the authorities of `agent.trust`.
* Proxies are those that `requests` knows from the environment; an address on this
  machine is never sent through one.
* An answer is read as a stream, up to a size and a time.
"""

import os
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import requests
import urllib3

from agent import __version__, obstacles, trust
from agent.answers import Answer
from agent.errors import ExchangeError
from agent.settings import Settings, checked_url, is_loopback

_CHUNK_BYTES = 8_192
_SIGN_IN = HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED
_LOOPBACK = "localhost,127.0.0.1,127.0.0.0/8,::1"


class _Bearer(requests.auth.AuthBase):
    """Sets the token, or nothing; either way `requests` looks into no ``.netrc``."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True)
class Looked:
    """An answer, and what was seen on the way to it.

    Attributes:
        answer: As `Transport.send` gives it.
        server_clock: The server's clock by its ``Date``, epoch seconds; None if it told none.
        certificate_ends_at: When the certificate ends, epoch seconds; None without one, and
            where the server closed the connection behind its answer.
    """

    answer: Answer
    server_clock: float | None
    certificate_ends_at: float | None


class Transport:
    """A connection to one server; use it as a context manager."""

    def __init__(
        self,
        settings: Settings,
        server_url: str,
        token: str | None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepares a session; nothing is sent.

        Raises:
            ExchangeError: The address is not one that may be given a token.
        """
        try:
            self._base = checked_url(server_url) + "/"
        except ValueError as error:
            raise ExchangeError(
                f"the server's address {error}", advice="enrol with an https:// address"
            ) from error
        self._settings = settings
        self._clock = clock
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        if trust.named(settings.ca_bundle, os.environ) is None:
            self._session.mount("https://", trust.SystemTrust())
        self._session.headers.update(
            {"User-Agent": f"parity-agent/{__version__}", "Accept": "application/json"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    def use(self, token: str) -> None:
        """Signs every later request with this token."""
        self._session.auth = _Bearer(token)

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Sends one request and reads its answer.

        Args:
            method: ``GET``, ``POST`` or ``PUT``.
            path: Under the server's address, such as ``v1/check-ins``.
            body: JSON bytes, sent as they are.

        Raises:
            ExchangeError: No answer came, or none that can be read: what stood in the way.
        """
        with self._asked(method, path, body) as response:
            return self._read(response)

    def look(self, path: str) -> Looked:
        """Asks for something, and tells of the way to it too.

        Args:
            path: Under the server's address.

        Raises:
            ExchangeError: As `send`.
        """
        with self._asked("GET", path, None) as response:
            # Before the body is read: the connection is given back with its last byte.
            ends_at = _certificate_end(response)
            date = response.headers.get("Date")
            return Looked(self._read(response), _moment(date), ends_at)

    @contextmanager
    def _asked(self, method: str, path: str, body: bytes | None) -> Iterator[requests.Response]:
        settings = self._settings
        try:
            with self._session.request(
                method,
                urljoin(self._base, path),
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                timeout=(settings.connect_timeout_s, settings.http_timeout_s),
                allow_redirects=False,
                stream=True,
                # Given here and not on the session: REQUESTS_CA_BUNDLE would win over that.
                verify=str(settings.ca_bundle) if settings.ca_bundle else True,
                proxies={"no_proxy": _LOOPBACK} if is_loopback(self._base) else None,
            ) as response:
                yield response
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise obstacles.told(error, self._base) from error

    def _read(self, response: requests.Response) -> Answer:
        if response.is_redirect or 300 <= response.status_code < 400:  # noqa: PLR2004 - RFC 9110 15.4
            raise ExchangeError(
                "the server sends its callers to another address",
                advice="enrol with the address where it really is; sign in to this network"
                " first if it asks you to",
                status=response.status_code,
            )
        page = "html" in response.headers.get("Content-Type", "").lower()
        if page and (response.ok or response.status_code == _SIGN_IN):
            raise ExchangeError(
                f"a web page answered ({response.status_code}) where the server should",
                advice="sign in to this network if it asks you to, and check the server's address",
                status=response.status_code,
            )
        return Answer(
            status=response.status_code,
            body=self._body(response),
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), self._clock()),
        )

    def _body(self, response: requests.Response) -> bytes:
        settings = self._settings
        ends = time.monotonic() + settings.http_timeout_s
        body = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > settings.answer_max_bytes:
                raise ExchangeError(
                    f"the answer is larger than {settings.answer_max_bytes} bytes",
                    advice="check the server's address, or raise answer_max_bytes",
                    status=response.status_code,
                )
            if time.monotonic() > ends:
                raise requests.ReadTimeout
        return bytes(body)


def retry_after_s(header: str | None, now: float) -> float:
    """Seconds that a ``Retry-After`` asks to wait: delay or date (RFC 9110 10.2.3).

    Args:
        header: The header's value; None where there was none.
        now: Epoch seconds.

    Returns:
        The seconds, never negative; 0 for what cannot be read.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    at = _moment(text)
    return max(0.0, at - now) if at is not None else 0.0


def _moment(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return None


def _certificate_end(response: requests.Response) -> float | None:
    connection = getattr(response.raw, "connection", None)
    socket = getattr(connection, "sock", None)
    if not isinstance(socket, ssl.SSLSocket):
        return None
    ends: object = (socket.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None
