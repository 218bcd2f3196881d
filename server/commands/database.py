"""The database, opened for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, Engine

from server.settings import Settings
from server.store import engine as database


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A connection that only reads.

    Raises:
        StoreError: The database cannot be opened.
    """
    with opened(settings) as engine, database.reading(engine) as conn:
        yield conn


@contextmanager
def writing(settings: Settings) -> Iterator[Connection]:
    """One write transaction, committed and synced at the end.

    Raises:
        StoreError: The database cannot be opened.
    """
    with opened(settings) as engine, database.writing(engine) as conn:
        yield conn


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The database, closed at the end.

    Raises:
        StoreError: The database cannot be opened.
    """
    # Who asked can wait, and interrupt.
    patient = replace(settings.database_limits, statement_s=0)
    engine = database.open_engine(settings.database, patient)
    try:
        yield engine
    finally:
        engine.dispose()
