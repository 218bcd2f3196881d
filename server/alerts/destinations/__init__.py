"""One module per alert destination, found by listing this folder: a new file is a new one.

Each module offers a ``DESTINATION`` (`interface.Kind`) with its own name. The name chooses
it, as the prefix of the setting that holds its address: ``slack_webhook_url``.
"""

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from server.alerts.destinations.interface import Destination, Kind
from server.errors import SettingsError
from server.setting_values import Secret

_NOT_DESTINATIONS = frozenset({"interface"})


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """All kinds of destination by name.

    Raises:
        TypeError: A module of this package offers no ``DESTINATION``: a bug of ours.
    """
    found = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if info.name in _NOT_DESTINATIONS:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        kind = getattr(module, "DESTINATION", None)
        if not isinstance(kind, Kind):
            raise TypeError(f"server/alerts/destinations/{info.name}.py offers no DESTINATION")
        found[info.name] = kind
    return MappingProxyType(found)


def open_destination(name: str, address: Secret) -> Destination:
    """The destination of that name at that address; nothing is sent yet.

    Raises:
        SettingsError: No destination has that name, or it cannot use the address. The
            address is in no error text: it is a secret.
    """
    kind = kinds().get(name)
    if kind is None:
        raise SettingsError(
            f"there is no alert destination {name!r}",
            advice=f"known are: {', '.join(kinds())}",
        )
    return kind.open_at(address)
