"""What PostgreSQL does by itself: locks, lost connections, phases in which it only reads."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.sql import SQL
from sqlalchemy import Connection, Engine, text

from server.errors import RequestRefused, StoreError
from server.store import postgres as postgres_kind
from server.store.engine import migrate, open_engine, reading, writable, writing
from server.store.interface import Limits
from server.store.writer import Writer
from tests.postgres import Postgres
from tests.server.shop import HEAD, Laptop, Shop, profile

WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from server.errors import StoreError
from server.store.engine import open_engine
try:
    open_engine("postgresql://host/parity")
except StoreError as error:
    print(error, error.advice, sep="\\n")
"""

ADD = text("INSERT INTO counts VALUES (:name, 'match', 1)")


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """The address of a migrated database."""
    made = postgres.database()
    yield made
    postgres.drop(made)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """That database, opened by somebody impatient."""
    engine = open_engine(url, Limits(lock_s=0.2, statement_s=20))
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """Its writer."""
    writer = Writer(engine)
    yield writer
    writer.close()


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(url)
    yield shop
    shop.close()


@pytest.fixture
def cut(url: str) -> Callable[[], int]:
    """Ends all connections to the database, as a restart does; how many there were."""

    def end() -> int:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        with psycopg.connect(url, autocommit=True) as conn:
            ended = conn.execute(
                SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE ")
                + SQL(others)
            )
            return ended.rowcount

    return end


def add(name: str) -> Callable[[Connection], None]:
    """Work that adds a row."""
    return lambda conn: conn.execute(ADD, {"name": name}).close()


def names(engine: Engine) -> list[str]:
    """What was added."""
    with reading(engine) as conn:
        return list(conn.execute(text("SELECT group_name FROM counts ORDER BY 1")).scalars())


def again(writer: Writer, work: Callable[[Connection], None]) -> int:
    """Asks until it is done; how often it was refused."""
    refused = 0
    while True:
        try:
            writer.run(work).result()
        except StoreError:
            refused += 1
        else:
            return refused


def test_every_commit_waits_for_the_disk(url: str, engine: Engine) -> None:
    """Also where the database says otherwise; a stronger wish of its owner is kept."""
    asked = "SHOW synchronous_commit"
    for said, held in (("off", "on"), ("remote_apply", "remote_apply")):
        with psycopg.connect(url, autocommit=True) as conn:
            name = conn.info.dbname
            conn.execute(SQL(f"ALTER DATABASE {name} SET synchronous_commit = {said}"))
        engine.dispose()
        with writable(engine) as conn:
            assert conn.exec_driver_sql(asked).scalar() == held


def test_a_connection_says_whose_it_is_and_how_long_it_waits(url: str) -> None:
    """For whoever looks at the database's own list."""
    engine = open_engine(url, Limits(statement_s=7, lock_s=3))
    with engine.connect() as conn:
        shown = [
            conn.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("application_name", "statement_timeout", "lock_timeout")
        ]
    engine.dispose()
    assert shown == ["parity-server", "7s", "3s"]


def test_what_the_address_says_counts(url: str) -> None:
    """An operator may name the connections otherwise."""
    engine = open_engine(f"{url}&application_name=second")
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SHOW application_name").scalar() == "second"
    engine.dispose()


def test_an_address_may_name_several_hosts(url: str) -> None:
    """The one that is the primary is taken, whichever that is by now."""
    place = url.replace("?host=", "?host=/nowhere&host=") + "&target_session_attrs=primary"
    engine = open_engine(place)
    writer = Writer(engine)
    writer.run(add("a")).result()
    writer.close()
    assert names(engine) == ["a"]
    engine.dispose()


def test_who_waits_too_long_for_the_write_lock_is_told(engine: Engine, writer: Writer) -> None:
    """Nothing was taken; once it is free, the same connection writes."""
    with writing(engine) as conn:
        conn.execute(ADD, {"name": "a"})
        with pytest.raises(StoreError, match="lock timeout"):
            writer.run(add("b")).result()
    writer.run(add("c")).result()
    assert names(engine) == ["a", "c"]


def test_a_statement_that_takes_too_long_is_ended(url: str) -> None:
    """It is the database's failure, and harms no later one."""
    engine = open_engine(url, Limits(statement_s=0.05))
    with pytest.raises(StoreError, match="statement timeout"), reading(engine) as conn:
        conn.exec_driver_sql("SELECT pg_sleep(20)")
    assert names(engine) == []
    engine.dispose()


def test_a_commit_of_a_failed_transaction_is_an_error(engine: Engine) -> None:
    """PostgreSQL would roll back and say nothing: somebody would be told of a row that is not."""

    def swallow(conn: Connection) -> None:
        conn.execute(ADD, {"name": "a"})
        with contextlib.suppress(Exception):
            conn.execute(ADD, {"name": "a"})

    writer = Writer(engine)
    with pytest.raises(StoreError, match="cannot be written"):
        writer.run(swallow).result()
    writer.run(add("b")).result()
    writer.close()
    assert names(engine) == ["b"]


def test_a_lost_connection_is_opened_anew(
    engine: Engine, writer: Writer, cut: Callable[[], int]
) -> None:
    """What was asked for meanwhile is refused, never told as done; then it goes on by itself."""
    writer.run(add("a")).result()
    assert cut() == 1
    assert again(writer, add("b")) > 0
    assert names(engine) == ["a", "b"]
    cut()
    assert names(engine) == ["a", "b"]


def test_a_connection_lost_within_work_undoes_it(
    engine: Engine, writer: Writer, cut: Callable[[], int]
) -> None:
    """Rows that were written before the loss are not there, and nobody was told so."""

    def lose(conn: Connection) -> None:
        conn.execute(ADD, {"name": "a"})
        cut()
        conn.execute(ADD, {"name": "b"})

    with pytest.raises(StoreError, match="cannot be written"):
        writer.run(lose).result()
    again(writer, add("c"))
    assert names(engine) == ["c"]


def test_a_connection_lost_before_the_commit_acknowledges_nothing(
    engine: Engine, writer: Writer, cut: Callable[[], int]
) -> None:
    """The work itself had succeeded."""

    def lose(conn: Connection) -> str:
        conn.execute(ADD, {"name": "a"})
        cut()
        return "done"

    with pytest.raises(StoreError):
        writer.run(lose).result()
    again(writer, add("b"))
    assert names(engine) == ["b"]


def test_several_servers_write_by_turns(url: str, engine: Engine, writer: Writer) -> None:
    """None of them waits for another one's end."""
    other = open_engine(url)
    second = Writer(other)
    for number in range(4):
        (second if number % 2 else writer).run(add(str(number))).result()
    second.close()
    other.dispose()
    assert names(engine) == ["0", "1", "2", "3"]


def test_who_hangs_in_the_midst_of_writing_does_not_hold_up_the_others(
    url: str, writer: Writer
) -> None:
    """A paused server lets go in less than the half minute in which another one leads."""
    asked = "SHOW idle_in_transaction_session_timeout"
    quick = open_engine(url, Limits(statement_s=7))
    second = Writer(quick)
    held = [
        each.run(lambda conn: conn.exec_driver_sql(asked).scalar()).result()
        for each in (writer, second)
    ]
    second.close()
    quick.dispose()
    assert held == [f"{postgres_kind.HUNG_S}s", "7s"]


def test_who_has_to_be_alone_waits_for_no_server(url: str, engine: Engine, writer: Writer) -> None:
    """It is refused while one works, however many do; a server is refused meanwhile."""
    other = open_engine(url)
    second = Writer(other)
    writer.close()
    with (
        pytest.raises(StoreError, match="another server already works on"),
        postgres_kind.alone(engine),
    ):
        pass
    second.close()
    with postgres_kind.alone(engine), pytest.raises(StoreError, match="somebody has the database"):
        Writer(other)
    Writer(other).close()
    other.dispose()


def test_a_server_writes_nothing_once_somebody_is_alone(
    url: str, engine: Engine, cut: Callable[[], int]
) -> None:
    """It lost its connection, and with that its share: it goes on when they have ended."""
    first = Writer(engine)
    cut()
    other = open_engine(url)
    with postgres_kind.alone(other):
        for _ in range(2):
            with pytest.raises(StoreError):
                first.run(add("a")).result()
    again(first, add("b"))
    first.close()
    other.dispose()
    assert names(engine) == ["b"]


def test_check_ins_are_refused_while_the_connection_is_away(
    shop: Shop, cut: Callable[[], int]
) -> None:
    """503 with a time to come again, nothing believed; the same message is taken later, once."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    message = laptop.message(profile(HEAD))
    cut()
    with pytest.raises(RequestRefused) as refused:
        laptop.send(message)
    assert (refused.value.status, refused.value.retry_after_s) == (503, 30)
    assert "host" not in str(refused.value)
    again(shop.writer, lambda _: None)
    assert laptop.send(message).state == "match"
    assert shop.rows("SELECT seq FROM presence") == [(message.seq,)]


def test_a_database_that_only_reads_is_told_as_such(postgres: Postgres, shop: Shop) -> None:
    """A read-only phase: check-ins are refused, questions are answered, and it passes."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    postgres.run(SQL("ALTER SYSTEM SET default_transaction_read_only = on"))
    postgres.run(SQL("SELECT pg_reload_conf()"))
    with pytest.raises(RequestRefused, match="read-only") as refused:
        _send_until_refused(laptop)
    assert refused.value.status == 503
    assert laptop.view().standing == "match"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as conn:
        conn.execute("SET default_transaction_read_only = off")
        conn.execute("ALTER SYSTEM RESET default_transaction_read_only")
        conn.execute("SELECT pg_reload_conf()")
    again(shop.writer, lambda conn: conn.execute(ADD, {"name": "z"}).close())
    assert laptop.send(laptop.message(profile(HEAD))).state == "match"


def _send_until_refused(laptop: Laptop) -> None:
    while True:  # a change of settings reaches a connection when it does
        laptop.send(laptop.message(profile(HEAD)))


def test_readers_come_back_by_themselves(engine: Engine, cut: Callable[[], int]) -> None:
    """A connection that waited in the pool is looked at before it is used."""
    assert names(engine) == []
    cut()
    assert names(engine) == []


@pytest.mark.parametrize("opened", [migrate, open_engine])
def test_a_database_that_is_not_there_is_told_without_its_password(
    postgres: Postgres, opened: Callable[[str], object]
) -> None:
    """With the server's own word for it."""
    address = postgres.url("nowhere").replace("postgres@", "postgres:hunter2@")
    with pytest.raises(StoreError, match='database "nowhere" does not exist') as refused:
        opened(address)
    assert "CREATE DATABASE" in refused.value.advice
    assert "hunter2" not in f"{refused.value} {refused.value.advice}"


def test_a_database_of_another_encoding_is_refused(postgres: Postgres) -> None:
    """Labels are words of any language."""
    postgres.run(SQL("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0"))
    with pytest.raises(StoreError, match="keeps text as LATIN1"):
        migrate(postgres.url("latin"))
    postgres.drop(postgres.url("latin"))


def test_two_migrations_at_once_do_it_by_turns(postgres: Postgres) -> None:
    """Replicas that start together: one does the work, the other finds it done."""
    url = postgres.empty()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            migrate(url)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    engine = open_engine(url)
    engine.dispose()
    postgres.drop(url)


def test_all_connections_in_use_is_a_store_error(url: str) -> None:
    """Who gets none in time is told, and not left waiting."""
    engine = open_engine(url, Limits(connect_s=0.05, connections=1))
    with reading(engine), pytest.raises(StoreError, match="cannot be reached"):
        names(engine)
    assert names(engine) == []
    engine.dispose()


def test_what_a_crash_could_take_is_told(engine: Engine) -> None:
    """The tests' own database does not sync, and says so; an index that lies is named."""
    with engine.connect() as conn:
        assert [told for told, _ in postgres_kind.troubles(conn)] == [
            "fsync is off: a crash of its machine can take what was acknowledged"
        ]
    lies = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pk_counts'::regclass"
    with writing(engine) as conn:
        conn.exec_driver_sql(lies)
    with engine.connect() as conn:
        assert postgres_kind.troubles(conn)[-1] == (
            "the index pk_counts is not valid",
            "REINDEX INDEX pk_counts",
        )


def test_a_missing_driver_is_told_with_what_brings_it() -> None:
    """It is an extra: a server on SQLite does not need it."""
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [
        "PostgreSQL needs the driver psycopg, which is not installed",
        "install build-parity with its extra `postgres`",
    ]
