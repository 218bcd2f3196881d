"""How the database is opened: what every connection may do, and when it is refused.

SQLite in WAL mode: readers never wait for the writer. ``synchronous=FULL`` makes a commit
wait for the sync of the log, so that what was acknowledged survives the loss of power
(https://www.sqlite.org/pragma.html#pragma_synchronous). Connections are read-only unless
they were asked for by `writing`: a query in the wrong place fails, and does not write.

The file is this user's alone (0600); SQLite gives its log the same mode.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import StoreError
from server.store.prepared import Prepared

BUSY_TIMEOUT_MS = 10_000
"""How long a statement waits for another process's write, in milliseconds."""

CHECKPOINT_PAGES = 8_000
"""Size of the log at which it is carried over into the file, in pages of 4 KiB.

Eight times SQLite's default: a laptop's row that is touched again before that is carried
over once. The log then stays near 32 MiB.
"""

CACHE_KIB = 65_536
"""Page cache of one connection, in KiB: the rows of 100,000 machines fit."""

# Every commit has one: a tenth of what SQLAlchemy's own way costs.
_BEGIN_WRITING = Prepared(text("BEGIN IMMEDIATE"))
_BEGIN_READING = Prepared(text("BEGIN"))

_MIGRATIONS = Path(__file__).with_name("migrations")


def open_engine(url: str) -> Engine:
    """Opens a migrated database; its connections only read (see `writing`).

    Raises:
        StoreError: The address cannot be used, the folder is missing or cannot be
            written, the file is no database, or its schema is not the one of this code.
    """
    address = _address(url)
    path = sqlite_path(address)
    if not path.exists():
        raise StoreError(f"there is no database at {path}", advice=_migrate_advice())
    _check_writable(path)
    engine = _engine(address)
    try:
        with _readable(path), engine.connect() as conn:
            _check_schema(path, MigrationContext.configure(conn).get_current_revision())
    except StoreError:
        engine.dispose()
        raise
    return engine


def migrate(url: str) -> None:
    """Brings the database's schema up to this code's; makes the file if there is none.

    Raises:
        StoreError: As for `open_engine`, except that an older schema is what it is for.
    """
    address = _address(url)
    path = sqlite_path(address)
    _make_file(path)
    _check_writable(path)
    engine = _engine(address)
    try:
        with _readable(path), engine.connect() as conn:
            revision = MigrationContext.configure(conn).get_current_revision()
            if revision == _script().get_current_head():
                return
            _check_known(path, revision)
        with _readable(path), writing(engine) as conn:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
    finally:
        engine.dispose()


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction, committed and synced at the end.

    For the one-off commands of an operator, beside a running server or not; what a server
    writes goes through its `server.store.writer.Writer`.
    """
    with writable(engine) as conn, conn.begin():
        yield conn


@contextlib.contextmanager
def writable(engine: Engine) -> Iterator[Connection]:
    """A connection that may write: each of its transactions takes the write lock at once.

    A transaction that began by reading could otherwise find at its first write that it
    read too early, and fail.
    """
    with engine.connect().execution_options(parity_writes=True) as conn:
        # Beneath SQLAlchemy, which would begin a transaction first: too early to write.
        conn.connection.cursor().execute("PRAGMA query_only=OFF")
        try:
            yield conn
        finally:
            # It must not return to the pool with its rights.
            conn.invalidate()


def sqlite_path(address: URL) -> Path:
    """The database file of an address.

    Raises:
        StoreError: It names no SQLite file.
    """
    if address.get_backend_name() != "sqlite" or address.database in {None, "", ":memory:"}:
        shown = address.render_as_string(hide_password=True)
        raise StoreError(
            f"the database address {shown} names no SQLite file",
            advice="give one like sqlite:////var/lib/build-parity/server.db",
        )
    return Path(str(address.database))


def _address(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        # The address may hold a password: it is not repeated.
        raise StoreError(
            "the database address cannot be read",
            advice="give one like sqlite:////var/lib/build-parity/server.db",
        ) from error


def _engine(address: URL) -> Engine:
    engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(raw: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Transactions are begun by `_begin`, not guessed from statements by the driver.
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        f"cache_size=-{CACHE_KIB}",
        "query_only=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(conn: Connection) -> None:
    writes = conn.get_execution_options().get("parity_writes", False)
    (_BEGIN_WRITING if writes else _BEGIN_READING).run(conn, {})


def _make_file(path: Path) -> None:
    if path.exists():
        # Closing a descriptor of ours would let go of the locks that SQLite has in this
        # process (https://www.sqlite.org/howtocorrupt.html, section 2.2).
        return
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except FileNotFoundError as error:
        raise StoreError(
            f"the folder {path.parent} does not exist",
            advice="make it, or name another data folder",
        ) from error
    except OSError as error:
        raise _not_writable(path, error.strerror) from error


def _check_writable(path: Path) -> None:
    # The log and its index are made beside the file.
    for place in (path.parent, path):
        if not os.access(place, os.W_OK):
            raise _not_writable(place, "permission denied")


def _not_writable(path: Path, why: str | None) -> StoreError:
    return StoreError(
        f"cannot write {path}: {why}",
        advice="let this user write there, or name another data folder",
    )


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreError(
            f"cannot open the database {path}: {error.orig}",
            advice="see that the disk has room and that this user may write to its folder",
        ) from error
    except DBAPIError as error:
        raise StoreError(
            f"{path} is not a database, or is damaged: {error.orig}",
            advice="name another file, or put a backup in its place",
        ) from error


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


def _check_schema(path: Path, revision: str | None) -> None:
    if revision == _script().get_current_head():
        return
    _check_known(path, revision)
    raise StoreError(f"the database {path} has an older schema", advice=_migrate_advice())


def _check_known(path: Path, revision: str | None) -> None:
    known = {script.revision for script in _script().walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the database {path} was written by a newer version of the server",
            advice="run that version; an older one cannot go back",
        )


def _migrate_advice() -> str:
    return "run `parity-server migrate` first"
