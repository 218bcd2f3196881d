"""What every process of the server takes from its machine: the clock, the folder, the sources.

Apart from `server.running`, so that a command that only looks loads no web server.
"""

import os
import time
from pathlib import Path

from server.errors import StoreError
from server.releases import sources
from server.releases.sources.interface import Keep, Memory, Source
from server.settings import Settings


def clock() -> int:
    """The server's clock: whole seconds since the epoch."""
    return int(time.time())


def make_data_dir(settings: Settings) -> None:
    """Makes the folder of the SQLite database, for this user alone, if it is missing.

    Raises:
        StoreError: It cannot be made.
    """
    if settings.database_url is not None:
        return
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {settings.data_dir}: {error.strerror}",
            advice="let this user write there, or name another folder with --data",
        ) from error


def open_sources(settings: Settings, keep: Keep | None = None) -> tuple[Source, ...]:
    """The release sources that the settings, or npm's own configuration, name.

    Args:
        settings: Where they are.
        keep: Where signing keys stay; without one, in memory.
    """
    return sources.open_sources(settings, os.environ, Path.home(), keep or Memory())
