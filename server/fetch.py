"""The server's one way to read something over HTTP: bounded in bytes, time and reach.

A `Fetcher` belongs to one base address and never leaves that origin: a redirect to another
host, port or scheme is refused, so neither a token nor a request can be led elsewhere.
Plain ``http`` is for loopback only. Bodies are asked for unencoded and read in pieces, so
that a limit holds for what arrives and not for what it claims to be; a byte that drips in
late runs into the same deadline, or is cut off (`server.fetch_deadline`). Proxies come from
the environment as requests knows them (requests, "Proxies"), certificate authorities from the
settings or else from there, too ("SSL Cert Verification"); ``~/.netrc`` is not read.
"""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import requests.auth
import urllib3

from server.errors import SourceError
from server.fetch_body import Body, Limits
from server.fetch_deadline import CUT_AFTER_S, Deadline
from server.fetch_errors import check_status, late, named, no_authorities, too_large, unreachable
from server.settings import is_loopback

CONNECT_TIMEOUT_S = 5.0
"""Longest wait for a connection, in seconds."""

READ_TIMEOUT_S = 30.0
"""Longest wait for the next bytes, in seconds; a deadline is overrun by at most this."""

REDIRECTS_MAX = 3
"""Most redirects followed, all of them within the origin."""

_NOT_MODIFIED = 304
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Validators:
    """What names one state of a document (RFC 9110 section 8.8).

    Attributes:
        etag: The ``ETag`` as it was sent.
        last_modified: The ``Last-Modified`` as it was sent.
    """

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A whole small answer.

    Attributes:
        body: Its bytes; None where it has not changed since `validators` were given.
        validators: To ask with the next time.
    """

    body: bytes | None
    validators: Validators


class Fetcher:
    """Reads below one base address.

    Args:
        base_url: ``https://...``, or ``http://`` to loopback.
        authorization: The ``Authorization`` header for this base; never logged.
        ca_file: PEM file of the authorities that may vouch for it, in place of the usual ones.
    """

    def __init__(
        self, base_url: str, *, authorization: str | None = None, ca_file: Path | None = None
    ) -> None:
        self._base = base_url.rstrip("/")
        self._ca_file = str(ca_file) if ca_file is not None else None
        self._authorization = authorization

    @property
    def base_url(self) -> str:
        """Without a slash at its end."""
        return self._base

    def owns(self, url: str) -> bool:
        """Whether an address lies in this base's origin."""
        return _origin(_split(url)) == _origin(_split(self._base))

    def get(
        self, url: str, limits: Limits, *, accept: str, validators: Validators | None = None
    ) -> Fetched:
        """A small document, whole.

        Args:
            url: Within the base's origin.
            limits: What it may cost.
            accept: The media type asked for.
            validators: Of the state already known: an unchanged document is not sent again.

        Raises:
            fetch_errors.NotFoundError: The source says that there is none.
            SourceError: No usable answer: unreachable, refused, too large, too slow, a web
                page in its place, or an address that is not to be asked.
        """
        conditions = _conditions(validators)
        headers = {"Accept": accept, **conditions}
        with self._open(url, limits, headers) as (response, body):
            if validators and conditions and response.status_code == _NOT_MODIFIED:
                return Fetched(None, validators)
            check_status(response)
            etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
            return Fetched(body.read_rest(), Validators(etag, modified))

    @contextmanager
    def stream(self, url: str, limits: Limits) -> Iterator[Body]:
        """A large file, piece by piece.

        Raises:
            fetch_errors.NotFoundError: The source says that there is none.
            SourceError: As `get`.
        """
        headers = {"Accept": "application/octet-stream, */*"}
        with self._open(url, limits, headers) as (response, body):
            check_status(response)
            yield body

    @contextmanager
    def _open(
        self, url: str, limits: Limits, headers: Mapping[str, str]
    ) -> Iterator[tuple[requests.Response, Body]]:
        ends_at = time.monotonic() + limits.deadline_s
        with requests.Session() as session:
            deadline = Deadline(limits.deadline_s)
            for scheme in ("https://", "http://"):
                session.mount(scheme, deadline)
            # A proxy is not asked for this machine itself.
            session.trust_env = not is_loopback(_host(self._base))
            session.auth = _Authorization(self._authorization)
            session.headers.update({"Accept-Encoding": "identity", "User-Agent": "build-parity"})
            session.headers.update(headers)
            with self._follow(session, url, limits, ends_at) as response:
                where = named(response.url)
                if _length(response) > limits.max_bytes:
                    raise too_large(where, limits.max_bytes)
                yield response, Body(response.raw, limits, where, ends_at)

    def _follow(
        self, session: requests.Session, url: str, limits: Limits, ends_at: float
    ) -> requests.Response:
        timeout = (CONNECT_TIMEOUT_S, min(READ_TIMEOUT_S, limits.deadline_s))
        for _ in range(REDIRECTS_MAX + 1):
            self._check(url)
            try:
                # Given here, and not to the session, it goes before REQUESTS_CA_BUNDLE.
                response = session.get(
                    url, timeout=timeout, stream=True, allow_redirects=False, verify=self._ca_file
                )
            except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
                if time.monotonic() > ends_at + CUT_AFTER_S:
                    raise late(named(url), limits.deadline_s) from error
                raise self._failed(url, error) from error
            if response.status_code not in _REDIRECTS:
                return response
            url = _target(url, response.headers.get("Location", ""))
            response.close()
        raise SourceError(
            f"{named(self._base)} redirects more than {REDIRECTS_MAX} times",
            advice="check the source's address in the settings",
        )

    def _failed(self, url: str, error: Exception) -> SourceError:
        if self._ca_file is not None:
            try:
                ssl.create_default_context(cafile=self._ca_file)
            except (OSError, ValueError) as reason:  # an ssl.SSLError is an OSError
                return no_authorities(self._ca_file, reason)
        return unreachable(named(url), error)

    def _check(self, url: str) -> None:
        parts = _split(url)
        allowed = parts.scheme == "https" or (
            parts.scheme == "http" and is_loopback(parts.hostname or "")
        )
        if not allowed or parts.username or parts.password:
            raise SourceError(
                f"{named(url)} is not read: only https without a name and password in the address,"
                " or http on this machine itself",
                advice="give the source's https address in the settings",
            )
        if not self.owns(url):
            raise SourceError(
                f"{named(self._base)} leads elsewhere, to {named(url)}, which is not followed",
                advice="give that address itself in the settings, if it is the right one",
            )


class _Authorization(requests.auth.AuthBase):
    """Sets our header or none; having one at all keeps requests away from ``~/.netrc``."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = self._value
        return request


def _conditions(validators: Validators | None) -> dict[str, str]:
    pairs = {
        "If-None-Match": validators.etag if validators else None,
        "If-Modified-Since": validators.last_modified if validators else None,
    }
    return {name: value for name, value in pairs.items() if value is not None}


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (parts.scheme, parts.hostname or "", port)


def _host(url: str) -> str:
    return _split(url).hostname or ""


def _split(url: str) -> SplitResult:
    """The parts of an address; an address that cannot be read has none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _length(response: requests.Response) -> int:
    """The length that an answer claims; 0 where it claims none."""
    value = response.headers.get("Content-Length", "")
    return int(value[:18]) if value.isdecimal() else 0
