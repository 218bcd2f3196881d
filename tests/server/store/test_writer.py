"""The one writing thread: order, durability, failure, and the end."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from server.errors import StoreError
from server.store.engine import named, open_engine
from server.store.writer import Writer
from tests.server.databases import Files

SECOND = """
import sys
from server.errors import StoreError
from server.store.engine import open_engine
from server.store.writer import Writer
try:
    Writer(open_engine(sys.argv[1]))
except StoreError as error:
    print(error)
"""


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """Its writer."""
    writer = Writer(engine)
    yield writer
    writer.close()


def add(conn: Connection) -> int:
    """Adds one to a count, and tells it."""
    conn.execute(text("INSERT INTO counts VALUES ('g', 'match', 0) ON CONFLICT DO NOTHING"))
    conn.execute(text("UPDATE counts SET machines = machines + 1"))
    return int(conn.execute(text("SELECT machines FROM counts")).scalar_one())


def kept(engine: Engine) -> int:
    """What another connection sees."""
    with engine.connect() as conn:
        return int(conn.execute(text("SELECT coalesce(max(machines), 0) FROM counts")).scalar_one())


def test_a_result_is_told_after_the_commit(engine: Engine, writer: Writer) -> None:
    """Whoever hears of it may rely on it: the callback's own connection sees the row."""
    seen: list[int] = []
    future = writer.run(add)
    future.add_done_callback(lambda _: seen.append(kept(engine)))
    assert future.result() == 1
    writer.run(lambda _: None).result()
    assert seen == [1]


def test_work_is_done_in_the_order_of_asking_on_one_thread(writer: Writer) -> None:
    """Also when it was asked for from several threads."""
    names = {writer.run(lambda _: threading.current_thread().name).result() for _ in range(9)}
    assert names == {"writer"}
    assert [future.result() for future in [writer.run(add) for _ in range(20)]] == [*range(1, 21)]


def test_work_that_fails_changes_nothing_and_stops_nobody(engine: Engine, writer: Writer) -> None:
    """Its exception goes to who asked; the next one is done."""

    def fail(conn: Connection) -> None:
        add(conn)
        raise LookupError("no")

    with pytest.raises(LookupError):
        writer.run(fail).result()
    assert kept(engine) == 0
    assert writer.run(add).result() == 1


def test_closing_finishes_what_was_asked_for(engine: Engine) -> None:
    """Accepted work is done; later work is refused."""
    writer = Writer(engine)
    futures = [writer.run(add) for _ in range(50)]
    writer.close()
    assert [future.result() for future in futures][-1] == 50
    with pytest.raises(StoreError, match="stopping"):
        writer.run(add)
    writer.close()


def test_work_that_nobody_waits_for_any_more_is_not_begun(engine: Engine, writer: Writer) -> None:
    """A cancelled future is skipped."""
    hold, held = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        held.set()
        hold.wait()

    writer.run(wait)
    held.wait()
    cancelled = writer.run(add)
    assert cancelled.cancel()
    hold.set()
    writer.run(lambda _: None).result()
    assert kept(engine) == 0


def test_a_second_server_on_the_same_file_is_refused(sqlite_files: Files) -> None:
    """In one line; a third one may begin when the first has ended."""
    address = sqlite_files.database()
    engine = open_engine(address)
    writer = Writer(engine)
    told = subprocess.run(
        [sys.executable, "-c", SECOND, address], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [f"another server already works on {named(address)}"]
    writer.close()
    engine.dispose()
    told = subprocess.run(
        [sys.executable, "-c", SECOND, address], capture_output=True, text=True, check=True
    )
    assert told.stdout == ""


def test_what_comes_first_is_in_the_same_transaction(engine: Engine, writer: Writer) -> None:
    """What it raises is the work's; another writer of the same thread does without it."""

    def refuse(conn: Connection) -> None:
        add(conn)
        raise LookupError("no")

    adding = writer.beginning_with(add)
    assert adding.run(add).result() == 2
    with pytest.raises(LookupError):
        adding.beginning_with(refuse).run(add).result()
    assert kept(engine) == 2
    assert writer.run(add).result() == 3
    adding.close()
    with pytest.raises(StoreError, match="stopping"):
        writer.run(add)
