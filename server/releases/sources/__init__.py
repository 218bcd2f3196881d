"""One module per release source, found by listing this folder: a new file is a new source.

Each module offers ``open_source(addresses, environment, home, keep)``, which gives a `Source`,
or None where the settings switch it off. The contract test walks the same list.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from server.releases.sources.interface import Addresses, Keep, Source

_NOT_SOURCES = frozenset({"interface"})


def names() -> tuple[str, ...]:
    """The names of all sources, in order."""
    return tuple(sorted({info.name for info in pkgutil.iter_modules(__path__)} - _NOT_SOURCES))


def open_sources(
    addresses: Addresses, environment: Mapping[str, str], home: Path, keep: Keep
) -> tuple[Source, ...]:
    """Every source that the settings do not switch off; nothing is read yet.

    Those that keep a list come first: they say most, and soonest.

    Args:
        addresses: The server's settings.
        environment: The variables of the process: npm's configuration may be there.
        home: The user's home folder, for npm's configuration file.
        keep: Where signing keys stay.
    """
    opened = (
        importlib.import_module(f"{__name__}.{name}").open_source(
            addresses, environment, home, keep
        )
        for name in names()
    )
    found = (source for source in opened if source is not None)
    return tuple(sorted(found, key=lambda source: not source.keeps_list))


def lack(sources: Iterable[Source]) -> str | None:
    """What to tell an operator of sources whose place is not known; None where all are."""
    placed = {source.name: source.has_place for source in sources}
    known = [name for name, has_place in placed.items() if has_place]
    if known and len(known) == len(placed):
        return None
    mend = "set PARITY_SERVER_NPM_REGISTRY_URL or install npm"
    if not known:
        return (
            "no source of public releases is known, so every laptop will be at best unknown;"
            f" {mend}"
        )
    return (
        f"of the sources of public releases only {' and '.join(known)} is known: while it does"
        f" not answer, every laptop will be at best unknown; {mend}"
    )
