"""How the database is opened: one way for every kind, which the address names.

``sqlite:`` is one file for a server on one machine, ``postgresql:`` a service beyond that;
what they do by themselves is in modules of those names. Whatever kind it is: a connection
only reads unless it was asked for by `writable`; of transactions that write there is one at a
time; a commit waits for the disk; and nothing is opened whose schema is not this code's.
"""

import contextlib
from collections.abc import Iterator, Mapping

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from server.errors import StoreError
from server.store import postgres, schema, sqlite
from server.store.interface import Kind, Limits

UNABLE = (OperationalError, InternalError, PoolTimeoutError)
"""What SQLAlchemy raises where the database could not, through no mistake of ours."""

_KINDS: Mapping[str, Kind] = {"sqlite": sqlite, "postgresql": postgres, "postgres": postgres}


def open_engine(url: str, limits: Limits | None = None) -> Engine:
    """Opens a migrated database; its connections only read (see `writing`).

    Args:
        url: Its address.
        limits: How long it may take; the defaults, if none are given.

    Raises:
        StoreError: The address cannot be used, the database is missing or cannot be
            written, it is no database, or its schema is not the one of this code.
    """
    address = _address(url)
    kind = _KINDS[address.get_backend_name()]
    kind.check(address)
    engine = kind.engine(address, limits or Limits())
    try:
        with kind.opening(address), engine.connect() as conn:
            kind.examine(conn, address)
            _check_schema(kind.named(address), schema.revision(conn))
    except StoreError:
        engine.dispose()
        raise
    return engine


def migrate(url: str) -> bool:
    """Brings the database's schema up to this code's; makes a file if there is none.

    The whole upgrade holds, or nothing of it. Two at once do it by turns.

    Returns:
        Whether there was something to do.

    Raises:
        StoreError: As for `open_engine`, except that an older schema is what it is for.
    """
    address = _address(url)
    kind = _KINDS[address.get_backend_name()]
    kind.make(address)
    kind.check(address)
    engine = kind.engine(address, Limits(statement_s=0))
    try:
        with kind.opening(address), engine.connect() as conn:
            kind.examine(conn, address)
            revision = schema.revision(conn)
        if revision == schema.newest():
            return False
        _check_known(kind.named(address), revision)
        with kind.opening(address), kind.writable(engine) as conn, conn.begin():
            upgrade(conn)
        return True
    finally:
        engine.dispose()


def upgrade(conn: Connection, revision: str = "head") -> None:
    """Applies the steps that lack, in the connection's transaction.

    Args:
        conn: For writing.
        revision: The last step.
    """
    # Nothing else needs Alembic, and loading it takes longer than most commands.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, revision)


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads, all of its statements at one moment.

    Raises:
        StoreError: The database cannot be read.
    """
    try:
        with engine.connect() as conn:
            yield conn
    except UNABLE as error:
        raise StoreError(
            f"the database cannot be read: {kind_of(engine).reason(error)}",
            advice="see that it runs and that its disk works, and ask again",
        ) from error


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction, committed and synced at the end.

    For the one-off commands of an operator, beside a running server or not; what a server
    writes goes through its `server.store.writer.Writer`.

    Raises:
        StoreError: The database cannot be written.
    """
    try:
        with writable(engine) as conn, conn.begin():
            yield conn
    except UNABLE as error:
        raise not_written(engine, error) from error


@contextlib.contextmanager
def writable(engine: Engine) -> Iterator[Connection]:
    """A connection that may write: each of its transactions takes the write lock at once.

    A transaction that began by reading could otherwise find at its first write that it
    read too early, and fail.
    """
    with kind_of(engine).writable(engine) as conn:
        yield conn


def not_written(engine: Engine, error: SQLAlchemyError) -> StoreError:
    """What is told of a write that the database could not do."""
    return StoreError(
        f"the database cannot be written: {kind_of(engine).reason(error)}",
        advice="see that its disk has room and works; nothing was taken, so try again",
    )


def kind_of(engine: Engine) -> Kind:
    """What a database does by itself."""
    return _KINDS[engine.url.get_backend_name()]


def named(url: str) -> str:
    """How messages name the database of an address: without a password.

    Raises:
        StoreError: The address cannot be used.
    """
    address = _address(url)
    return _KINDS[address.get_backend_name()].named(address)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        # The address may hold a password: it is not repeated.
        raise StoreError("the database address cannot be read", advice=_example()) from error
    if address.get_backend_name() not in _KINDS:
        raise StoreError(
            f"there is no kind of database {address.get_backend_name()!r}", advice=_example()
        )
    return address


def _example() -> str:
    return (
        "give one like sqlite:////var/lib/build-parity/server.db or postgresql://parity@host/parity"
    )


def _check_schema(name: str, revision: str | None) -> None:
    if revision == schema.newest():
        return
    _check_known(name, revision)
    raise StoreError(
        f"the database {name} has an older schema", advice="run `parity-server migrate` first"
    )


def _check_known(name: str, revision: str | None) -> None:
    if revision is not None and revision not in schema.known():
        raise StoreError(
            f"the database {name} was written by a newer version of the server",
            advice="run that version; an older one cannot go back",
        )
