"""What stood in the way of an answer, in words: from a library's error to one with advice.

`requests` wraps the errors of urllib3 and OpenSSL, whose names stay in its text; there is no
attribute to ask (psf/requests, adapters.py).
"""

import requests

from agent.errors import ExchangeError

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
"""OpenSSL's reasons, by version, for an answer that is no TLS (openssl, sslerr.h)."""

# The first that fits is told.
_CAUSES: tuple[tuple[tuple[type[Exception], ...], str, str, str], ...] = (
    (
        (requests.exceptions.ProxyError,),
        "",
        "cannot be reached through this machine's proxy",
        "check HTTPS_PROXY and NO_PROXY",
    ),
    # The server's own address was checked when it was given: it is the proxy's that is not one.
    (
        (requests.exceptions.InvalidSchema,),
        "SOCKS",
        "would be asked through a SOCKS proxy, which the agent does not speak",
        "name an HTTP proxy in HTTPS_PROXY, or the server in NO_PROXY",
    ),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema),
        "",
        "would be asked through a proxy whose address cannot be read",
        "check HTTPS_PROXY: what is special in a password has to be escaped there",
    ),
    *(
        (
            (requests.exceptions.SSLError,),
            mark,
            "does not speak TLS on this port",
            "check the address (http or https) and the port",
        )
        for mark in _NO_TLS
    ),
    (
        (requests.exceptions.SSLError,),
        "UNEXPECTED_EOF",
        "ended the connection before its certificate was seen",
        "check the address and the port",
    ),
    (
        (requests.exceptions.SSLError,),
        "",
        "has a certificate that is not trusted here",
        "have your organisation's authority put into the system's store, or name it as ca_bundle",
    ),
    (
        (requests.exceptions.Timeout, TimeoutError),
        "",
        "did not answer in time",
        "check the network; raise http_timeout_s if it is only slow",
    ),
    (
        (requests.exceptions.ConnectionError,),
        "timed out",
        "stopped answering half-way",
        "check the network; raise http_timeout_s if it is only slow",
    ),
    (
        (requests.exceptions.ConnectionError,),
        "NameResolutionError",
        "has a name that cannot be found",
        "check the server's address and this network's name service",
    ),
    (
        (requests.exceptions.ConnectionError,),
        "refused",
        "refused the connection",
        "check the address and port, or ask your operator; a running agent tries again by itself",
    ),
    (
        (OSError,),
        "CA certificate bundle",
        "cannot be verified: the ca_bundle file is missing",
        "correct ca_bundle in the settings",
    ),
    (
        (requests.exceptions.ConnectionError,),
        "",
        "broke the connection",
        "check the network and try again",
    ),
)


def told(error: Exception, base: str) -> ExchangeError:
    """The error that says what stood in the way, and what to do about it.

    Args:
        error: As `requests`, urllib3 or the system raised it.
        base: The server's address.
    """
    where = base.rstrip("/")
    text = str(error)
    for kinds, mark, message, advice in _CAUSES:
        if isinstance(error, kinds) and mark in text:
            return ExchangeError(f"{where} {message}", advice=advice)
    return ExchangeError(
        f"{where} could not be asked ({type(error).__name__})", advice="check the network"
    )
