"""What a failed reading means: an exception or a status, in words that tell what to do.

Messages name an address by host and path alone: a name, a password or a query in it may be
a secret.
"""

import email.utils
import time
from urllib.parse import urlsplit

import requests

from server.errors import SourceError

RETRY_AFTER_MAX_S = 86_400.0
"""The longest ``Retry-After`` that is obeyed, in seconds."""

_OK = 200
_MISSING = frozenset({404, 410})
_DENIED = frozenset({401, 403, 407})


class NotFoundError(SourceError):
    """The source answers, and says that there is no such thing."""


class DeniedError(SourceError):
    """The source answers, and does not let us see this."""


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds that a ``Retry-After`` asks to wait (RFC 9110 section 10.2.3).

    Args:
        value: The header: seconds, or a date.
        now: Seconds since the epoch.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), RETRY_AFTER_MAX_S)
    try:
        wait = email.utils.parsedate_to_datetime(value).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return max(0.0, min(wait, RETRY_AFTER_MAX_S))


def check_status(response: requests.Response) -> None:
    """Lets only a good answer pass that is what was asked for.

    Raises:
        NotFoundError: The source says that there is none.
        DeniedError: It does not let us see it.
        SourceError: It refuses, fails, or something else answers in its place.
    """
    where = named(response.url)
    status = response.status_code
    if status in _MISSING:
        raise NotFoundError(f"{where} does not exist", advice="check the source's address")
    if status in _DENIED:
        raise DeniedError(
            f"{where} refuses us ({status})",
            advice="give a token for it in npmrc, or see to the proxy's rules",
        )
    if status != _OK:
        raise SourceError(
            f"{where} answers {status}",
            advice="wait: it is tried again",
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), time.time()),
        )
    encoding = response.headers.get("Content-Encoding", "identity")
    if response.headers.get("Content-Type", "").startswith("text/html") or encoding != "identity":
        raise SourceError(
            f"{where} answers with something else, such as a web page",
            advice="see whether a proxy or a network's sign-in page stands in between",
        )


def named(url: str) -> str:
    """How messages call an address: nothing of it that could be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def too_large(where: str, max_bytes: int) -> SourceError:
    """A body beyond its limit."""
    return SourceError(
        f"{where} is larger than {max_bytes} bytes",
        advice="check the source's address: nothing of that size is expected there",
    )


def late(where: str, deadline_s: float) -> SourceError:
    """An answer that is not there in time."""
    return SourceError(
        f"{where} was not read within {deadline_s:g} s",
        advice="see whether the network or a proxy slows it down; it is tried again",
    )


def broken(where: str, error: Exception) -> SourceError:
    """A body that ended before its end."""
    return SourceError(
        f"{where} broke off: {_reason(error)}", advice="wait: it is tried again in a while"
    )


def unreachable(where: str, error: Exception) -> SourceError:
    """No answer at all, or one from somebody without a trusted certificate."""
    if isinstance(error, requests.exceptions.SSLError):
        return SourceError(
            f"{where} has no certificate that this machine trusts: {_reason(error)}",
            advice="name your organisation's CA in the setting ca_file, or in REQUESTS_CA_BUNDLE",
        )
    return SourceError(
        f"{where} cannot be reached: {_reason(error)}",
        advice="check its address, and HTTPS_PROXY where a proxy is needed",
    )


def no_authorities(path: str, error: Exception) -> SourceError:
    """A file of certificate authorities that is none."""
    return SourceError(
        f"the certificate authorities in {path} cannot be read: {_reason(error)}",
        advice="name a readable PEM file of certificates in the setting ca_file",
    )


def _reason(error: BaseException) -> str:
    """The innermost reason, without the address that libraries repeat in theirs."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
