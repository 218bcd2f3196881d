"""By whose word a server's certificate is good: one file that somebody named, or the system.

A file that is named stands alone: the setting's, else the one of the variables that `requests`
knows (requests.readthedocs.io, "SSL Cert Verification"). Else the system's own store counts, in
which a company keeps its authority (truststore.readthedocs.io), with certifi's list beside it.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
import truststore
import urllib3

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Name a file of authorities, the first before the second."""


def named(bundle: Path | None, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The file that is named, and by what; None where the system counts.

    Args:
        bundle: The setting ``ca_bundle``.
        environment: The variables of this process.
    """
    if bundle is not None:
        return str(bundle), "the setting ca_bundle"
    found = next((name for name in VARIABLES if environment.get(name)), None)
    return (environment[found], f"the variable {found}") if found else None


class SystemTrust(requests.adapters.HTTPAdapter):
    """Connections that trust whom the system trusts, also through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As the base's, with the system's store."""
        super().init_poolmanager(*args, ssl_context=_context(), **kwargs)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        """As the base's, with the system's store."""
        found: urllib3.ProxyManager = super().proxy_manager_for(
            *args, ssl_context=_context(), **kwargs
        )
        return found


def _context() -> ssl.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
