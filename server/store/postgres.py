"""PostgreSQL, from version 14 on, through psycopg: for servers beyond one machine.

A transaction that writes takes one lock of the database first (`server.store.postgres_locks`),
as it does in SQLite: what it reads is then what holds when it commits, and it can read and
write in the plain order of its statements. It is READ COMMITTED for that very reason: a
snapshot would be older than the lock. A transaction that reads has one snapshot for all of its
statements, and is read-only.

A commit waits for the disk: ``synchronous_commit`` is never ``off``. One that fails to tell
whether it happened is not acknowledged; a laptop then says the same again, which changes
nothing if it did happen.

Where the address leaves out the password, libpq finds it: ``PGPASSWORD``, ``PGPASSFILE``,
``~/.pgpass``. It may name several hosts, and which of them is meant: that is a failover
(``?host=a&host=b&target_session_attrs=primary``). Locks belong to a session, which a pooler may
hand on only as a whole (PgBouncer's session mode).
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from server.errors import StoreError
from server.store import postgres_locks as locks
from server.store.interface import Limits

VERSION_MIN = 14
"""The oldest PostgreSQL that is still kept by its makers."""

RECYCLE_S = 300
"""Seconds after which a reading connection is opened anew: it may lead to a former primary."""

KEEPALIVE_S = (10, 5, 3)
"""Seconds of silence, seconds between probes, and probes after which a peer is gone.

Asked of both sides: what a vanished server holds is free again within half a minute.
"""

PEER_GONE_MS = (KEEPALIVE_S[0] + KEEPALIVE_S[1] * KEEPALIVE_S[2]) * 1000
"""The same for what was sent and not confirmed, in milliseconds."""

HUNG_S = 15
"""Seconds that a server may be silent in the midst of writing, before others no longer wait."""

_NOT_TO_HANG = f"""
SELECT set_config(name, least(CAST(setting AS bigint), {HUNG_S * 1000})::text, false)
FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'
"""  # noqa: S608 - a number of ours
_BROKEN_INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
_DAMAGED = (
    "SELECT coalesce(max(checksum_failures), 0) FROM pg_stat_database"
    " WHERE datname = current_database()"
)

_READ_ONLY = "25006"
"""What a standby, and a database in a read-only phase, answers to a write."""


def named(address: URL) -> str:
    """Host and name, as in an address without a user."""
    host = address.host or address.query.get("host") or "localhost"
    shown = host if isinstance(host, str) else ",".join(host)
    return f"{address.database or address.username or ''} on {shown}"


def make(_address: URL) -> None:
    """Nothing: a database is made by who owns the cluster."""


def check(_address: URL) -> None:
    """Nothing: all is told by connecting."""


def engine(address: URL, limits: Limits) -> Engine:
    """Connections as every statement of the store expects them."""
    try:
        made = create_engine(
            address.set(drivername="postgresql+psycopg"),
            connect_args=_asked_of_libpq(address, limits),
            pool_size=limits.connections,
            max_overflow=0,
            pool_timeout=limits.connect_s,
            pool_pre_ping=True,
            pool_recycle=RECYCLE_S,
            hide_parameters=True,
            use_native_hstore=False,
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs the driver psycopg, which is not installed",
            advice="install build-parity with its extra `postgres`",
        ) from error
    settings = _settings(limits)

    def prepare(raw: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # Transactions are begun by `_begin`, in the words that each of them needs.
        raw.autocommit = True
        raw.cursor().execute(settings)

    event.listen(made, "connect", prepare)
    event.listen(made, "begin", _begin)
    event.listen(made, "commit", _check_open)
    return made


def examine(conn: Connection, address: URL) -> None:
    """Looks at version and encoding."""
    version = int(conn.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
    if version < VERSION_MIN:
        raise StoreError(
            f"the database {named(address)} is PostgreSQL {version}",
            advice=f"use version {VERSION_MIN} or a later one",
        )
    encoding = conn.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise StoreError(
            f"the database {named(address)} keeps text as {encoding}",
            advice="make it with ENCODING 'UTF8' TEMPLATE template0",
        )


def reason(error: SQLAlchemyError) -> str:
    """The server's words; without it none that would tell where it is."""
    original: Any = error.orig if isinstance(error, DBAPIError) else None
    said = original.diag.message_primary if original is not None else None
    return str(said or "it cannot be reached")


@contextlib.contextmanager
def opening(address: URL) -> Iterator[None]:
    """The first line of what libpq or the server says: it names no password."""
    try:
        yield
    except SQLAlchemyError as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        said = str(original).strip().splitlines() or [type(original).__name__]
        raise StoreError(
            f"cannot open the database {named(address)}: {said[0]}",
            advice="see that it runs, that it was made (CREATE DATABASE), and that this user"
            " may connect to it and make tables in it",
        ) from error


@contextlib.contextmanager
def writable(engine: Engine) -> Iterator[Connection]:
    """Takes the lock of all that write as each transaction begins."""
    with engine.connect().execution_options(parity_writes=True) as conn:
        yield conn


@contextlib.contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Refused by a lock that the connection holds as long as it lives."""
    refused = StoreError(
        f"another server already works on {named(engine.url)}",
        advice="stop it first, or give this one a database of its own",
    )
    with _holding(engine, locks.take_alone, refused) as conn:
        yield conn


@contextlib.contextmanager
def serving(engine: Engine) -> Iterator[Connection]:
    """Shares that lock with all other servers."""
    refused = StoreError(
        f"somebody has the database {named(engine.url)} alone",
        advice="wait if it is being restored or copied; stop a server of an older version that"
        " works on it",
    )
    with _holding(engine, locks.share, refused) as conn:
        locks.say(conn, _NOT_TO_HANG)
        yield conn


@contextlib.contextmanager
def leading(engine: Engine) -> Iterator[Callable[[], bool] | None]:
    """By a lock of a connection that does nothing else."""
    with engine.connect() as conn:
        if not locks.leads(conn):
            yield None
            return
        try:
            yield lambda: locks.lives(conn)
        finally:
            conn.invalidate()


def troubles(conn: Connection) -> tuple[tuple[str, str], ...]:
    """Settings by which a crash takes what was acknowledged, and damage that it noticed itself."""
    found = [
        (f"{name} is off: a crash of its machine can take what was acknowledged", "set it to on")
        for name in ("fsync", "full_page_writes")
        if conn.exec_driver_sql(f"SHOW {name}").scalar() == "off"
    ]
    broken = conn.exec_driver_sql(_BROKEN_INDEXES).scalars()
    found += [(f"the index {name} is not valid", f"REINDEX INDEX {name}") for name in broken]
    damaged = conn.exec_driver_sql(_DAMAGED).scalar_one()
    if damaged:
        said = f"{damaged} pages did not have the checksum that they were written with"
        found.append((said, "put a backup in its place, on another disk"))
    return tuple(found)


def numbered(conn: Connection, table: Table) -> None:
    """Its counters know nothing of such rows."""
    column = table.autoincrement_column
    if column is not None:
        counter = func.pg_get_serial_sequence(table.name, column.name)
        highest = func.max(column)
        conn.execute(select(func.setval(counter, highest)).having(highest.is_not(None)))


def is_lost(conn: Connection, error: SQLAlchemyError) -> bool:
    """Also where the server only reads now: another one may have taken its place."""
    if conn.invalidated:
        return True
    raw: Any = conn.connection.driver_connection
    code = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return raw is None or raw.closed or code == _READ_ONLY


def _asked_of_libpq(address: URL, limits: Limits) -> dict[str, object]:
    """What an address may say otherwise (https://www.postgresql.org/docs/current/libpq-connect.html)."""
    idle, interval, probes = KEEPALIVE_S
    asked = {
        "connect_timeout": max(2, round(limits.connect_s)),  # libpq waits no shorter
        "application_name": "parity-server",
        "keepalives_idle": idle,
        "keepalives_interval": interval,
        "keepalives_count": probes,
        "tcp_user_timeout": PEER_GONE_MS,
    }
    return {name: value for name, value in asked.items() if name not in address.query}


def _settings(limits: Limits) -> str:
    idle, interval, probes = KEEPALIVE_S
    asked = {
        "statement_timeout": round(limits.statement_s * 1000),
        "idle_in_transaction_session_timeout": round(limits.statement_s * 1000),
        "lock_timeout": round(limits.lock_s * 1000),
        "tcp_keepalives_idle": idle,
        "tcp_keepalives_interval": interval,
        "tcp_keepalives_count": probes,
        "tcp_user_timeout": PEER_GONE_MS,
    }
    words = [f"SET {name} = {value}" for name, value in asked.items()]
    # All that waits for a disk is right; what waits for several may be asked for.
    synced = "SELECT set_config('synchronous_commit', 'on', false)"
    words.append(f"{synced} WHERE current_setting('synchronous_commit') = 'off'")
    return "; ".join(words)


def _begin(conn: Connection) -> None:
    if conn.get_execution_options().get("parity_writes", False):
        # Not READ WRITE: a database in a read-only phase refuses by itself.
        words = f"BEGIN ISOLATION LEVEL READ COMMITTED; {locks.WRITES_BY_TURNS}"
    else:
        words = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    locks.say(conn, words)


def _check_open(conn: Connection) -> None:
    """COMMIT of a failed transaction is a rollback that tells no error."""
    raw: Any = conn.connection.driver_connection
    status = raw.info.transaction_status.name
    if status != "INTRANS":
        driver: Any = conn.dialect.loaded_dbapi
        with contextlib.suppress(driver.Error):
            raw.rollback()
        error = driver.OperationalError(f"the transaction is {status}")
        raise OperationalError("COMMIT", None, error)


@contextlib.contextmanager
def _holding(
    engine: Engine, take: Callable[[Connection], bool], refused: StoreError
) -> Iterator[Connection]:
    # After a failover, connections that wait in the pool lead to where it was.
    engine.dispose()
    with writable(engine) as conn:
        try:
            if not take(conn):
                raise refused
            yield conn
        finally:
            conn.invalidate()
