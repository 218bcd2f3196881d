"""The way to a server: through which proxy, and by whose word it is trusted.

It is chosen by `requests`, from the environment and the system; here the same is asked in
order to be told. A proxy's address may hold a password, so only its host and port are.
"""

import re
from collections.abc import Mapping

from requests import utils

from agent import trust
from agent.examination import Route
from agent.settings import Settings, is_loopback

_SYSTEM = ("the usual ones", "the system's store and certifi's list")


def of(settings: Settings, server_url: str, environment: Mapping[str, str]) -> Route:
    """The way to a server.

    Args:
        settings: Of this machine.
        server_url: Its address.
        environment: The variables of this process.
    """
    trusted, trusted_from = trust.named(settings.ca_bundle, environment) or _SYSTEM
    used = {} if is_loopback(server_url) else utils.get_environ_proxies(server_url, no_proxy=None)
    proxy = utils.select_proxy(server_url, used)
    if proxy is None:
        return Route(None, "", trusted, trusted_from)
    return Route(without_secrets(proxy), _named_by(proxy, environment), trusted, trusted_from)


def without_secrets(proxy: str) -> str:
    """Host and port of a proxy's address, without a user and password. Pure."""
    # By the last "@": a password that was not escaped may hold what ends a host elsewhere.
    behind = proxy.rpartition("@")[2] if "@" in proxy else proxy.rpartition("//")[2]
    host = re.split(r"[/?#]", behind, maxsplit=1)[0]
    return host or "an address that cannot be read"


def _named_by(proxy: str, environment: Mapping[str, str]) -> str:
    named = (name for name in sorted(environment) if name.upper().endswith("_PROXY"))
    found = [name for name in named if proxy in {environment[name], f"http://{environment[name]}"}]
    return found[0] if found else "the system's settings"
