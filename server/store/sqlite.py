"""SQLite: one file, for a server on one machine.

In WAL mode readers never wait for the writer. ``synchronous=FULL`` makes a commit
wait for the sync of the log, so that what was acknowledged survives the loss of power
(https://www.sqlite.org/pragma.html#pragma_synchronous). Connections are read-only unless
they were asked for by `writable`: a query in the wrong place fails, and does not write.

The file is this user's alone (0600); SQLite gives its log the same mode.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import StoreError
from server.store.interface import Limits
from server.store.lock import ProcessLock
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

TROUBLES_MAX = 3
"""Most damages that are looked for."""

# Every commit has one: a tenth of what SQLAlchemy's own way costs.
_BEGIN_WRITING = Prepared(text("BEGIN IMMEDIATE"))
_BEGIN_READING = Prepared(text("BEGIN"))


def path_of(address: URL) -> Path:
    """The file of an address.

    Raises:
        StoreError: It names none.
    """
    if address.database in {None, "", ":memory:"}:
        shown = address.render_as_string(hide_password=True)
        raise StoreError(
            f"the database address {shown} names no SQLite file",
            advice="give one like sqlite:////var/lib/build-parity/server.db",
        )
    return Path(str(address.database))


def named(address: URL) -> str:
    """The path of its file."""
    return str(path_of(address))


def make(address: URL) -> None:
    """Makes the file, empty and for this user alone, if there is none."""
    path = path_of(address)
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


def check(address: URL) -> None:
    """Looks whether the file is there, and can be written."""
    path = path_of(address)
    if not path.exists():
        raise StoreError(
            f"there is no database at {path}", advice="run `parity-server migrate` first"
        )
    # The log and its index are made beside the file.
    for place in (path.parent, path):
        if not os.access(place, os.W_OK):
            raise _not_writable(place, "permission denied")


def engine(address: URL, _limits: Limits) -> Engine:
    """Connections as every statement of the store expects them."""
    made = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def examine(_conn: Connection, _address: URL) -> None:
    """Nothing more: a file that can be read holds whatever is written."""


def reason(error: SQLAlchemyError) -> str:
    """SQLite's own words, which name nothing."""
    return str(error.orig if isinstance(error, DBAPIError) else error)


@contextlib.contextmanager
def opening(address: URL) -> Iterator[None]:
    """A file that is no database is another thing than a full disk."""
    path = path_of(address)
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


@contextlib.contextmanager
def writable(engine: Engine) -> Iterator[Connection]:
    """Takes SQLite's write lock as each transaction begins."""
    with engine.connect().execution_options(parity_writes=True) as conn:
        # Beneath SQLAlchemy, which would begin a transaction first: too early to write.
        conn.connection.cursor().execute("PRAGMA query_only=OFF")
        try:
            yield conn
        finally:
            # It must not return to the pool with its rights.
            conn.invalidate()


@contextlib.contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Refused by a lock beside the file, before anything of it is read."""
    path = path_of(engine.url)
    lock = ProcessLock(path.with_name(f"{path.name}.lock"))
    try:
        with writable(engine) as conn:
            yield conn
    finally:
        lock.release()


def serving(engine: Engine) -> contextlib.AbstractContextManager[Connection]:
    """As `alone`: a file is one server's."""
    return alone(engine)


@contextlib.contextmanager
def leading(_engine: Engine) -> Iterator[Callable[[], bool]]:
    """Always: there is no other server."""
    yield lambda: True


def troubles(conn: Connection) -> tuple[tuple[str, str], ...]:
    """Pages and indexes that do not fit together (https://www.sqlite.org/pragma.html#pragma_quick_check)."""
    found = [row[0] for row in conn.exec_driver_sql(f"PRAGMA quick_check({TROUBLES_MAX})")]
    advice = "stop the server, put a backup in its place"
    return () if found == ["ok"] else tuple((each, advice) for each in found)


def numbered(_conn: Connection, _table: Table) -> None:
    """SQLite does so by itself."""


def is_lost(_conn: Connection, _error: SQLAlchemyError) -> bool:
    """Never: a file does not go away."""
    return False


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


def _not_writable(path: Path, why: str | None) -> StoreError:
    return StoreError(
        f"cannot write {path}: {why}",
        advice="let this user write there, or name another data folder",
    )
