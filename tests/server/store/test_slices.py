"""Slices of the writer's time: one commit for many, turns for all, failures by themselves."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from server.errors import StoreError
from server.store.slices import Slice, Slices
from server.store.writer import Writer

LONG_S = 3600.0


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


def hold(writer: Writer) -> threading.Event:
    """Has the writer wait, so that all gathers behind it."""
    begun, end = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        begun.set()
        end.wait()

    writer.run(wait)
    begun.wait()
    return end


def test_the_first_piece_of_a_slice_always_has_time() -> None:
    """So that every turn gets on with something."""
    none, some = Slice(0), Slice(LONG_S)
    assert [none.lasts(), none.lasts()] == [True, False]
    assert [some.lasts(), some.lasts()] == [True, True]


def test_what_waits_together_is_one_transaction(engine: Engine, writer: Writer) -> None:
    """Nobody hears of his before it is committed, not even the first."""
    slices, held = Slices(writer, LONG_S), hold(writer)
    seen: list[int] = []
    futures = [slices.run(add) for _ in range(20)]
    futures[0].add_done_callback(lambda _: seen.append(kept(engine)))
    assert slices.waiting() == 20
    held.set()
    assert [each.result() for each in futures] == [*range(1, 21)]
    assert slices.waiting() == 0
    writer.run(lambda _: None).result()
    assert seen == [20]


def test_a_piece_that_fails_takes_back_its_own_writes_only(engine: Engine, writer: Writer) -> None:
    """Its exception goes to who asked for it."""

    def fail(conn: Connection) -> None:
        add(conn)
        raise LookupError("no")

    slices, held = Slices(writer, LONG_S), hold(writer)
    first, failed, last = slices.run(add), slices.run(fail), slices.run(add)
    held.set()
    assert (first.result(), last.result()) == (1, 2)
    with pytest.raises(LookupError):
        failed.result()
    assert kept(engine) == 2


def test_a_statement_that_is_wrong_takes_nobody_with_it(engine: Engine, writer: Writer) -> None:
    """A mistake of ours with one: after it the transaction goes on."""

    def wrong(conn: Connection) -> None:
        conn.execute(text("INSERT INTO counts VALUES ('g', 'none of these', NULL)"))

    slices, held = Slices(writer, LONG_S), hold(writer)
    first, failed, last = slices.run(add), slices.run(wrong), slices.run(add)
    held.set()
    assert (first.result(), last.result()) == (1, 2)
    assert failed.exception() is not None
    assert kept(engine) == 2


def test_where_the_database_cannot_nothing_of_the_slice_holds(
    engine: Engine, writer: Writer
) -> None:
    """All that were begun are told so; what still waited is done by the next slice."""

    def full(conn: Connection) -> None:
        add(conn)
        driver = conn.dialect.loaded_dbapi
        raise OperationalError("INSERT", None, driver.OperationalError("no room"))

    slices, held = Slices(writer, LONG_S), hold(writer)
    first, failed, last = slices.run(add), slices.run(full), slices.run(add)
    held.set()
    for each in (first, failed):
        with pytest.raises(StoreError, match="cannot be written"):
            each.result()
    assert last.result() == 1
    assert kept(engine) == 1


def test_two_kinds_of_work_take_turns(writer: Writer) -> None:
    """However much there is of the one, the other waits for one slice of it."""
    order: list[str] = []
    many, few, held = Slices(writer, 0), Slices(writer, 0), hold(writer)
    futures = [many.run(lambda _: order.append("many")) for _ in range(5)]
    futures += [few.run(lambda _: order.append("few")) for _ in range(2)]
    held.set()
    for each in futures:
        each.result()
    assert order == ["many", "few", "many", "few", "many", "many", "many"]


def test_work_that_nobody_waits_for_any_more_is_not_begun(engine: Engine, writer: Writer) -> None:
    """A cancelled future is skipped; those behind it are done."""
    slices, held = Slices(writer), hold(writer)
    cancelled, other = slices.run(add), slices.run(add)
    assert cancelled.cancel()
    held.set()
    assert other.result() == 1
    assert kept(engine) == 1


def test_a_writer_that_has_ended_refuses_all(engine: Engine, writer: Writer) -> None:
    """As every time again, and nothing waits for ever."""
    slices = Slices(writer)
    writer.close()
    for _ in range(2):
        with pytest.raises(StoreError, match="stopping"):
            slices.run(add).result()
    assert slices.waiting() == 0
    assert kept(engine) == 0


def test_what_a_stopping_writer_has_no_slice_for_is_refused(engine: Engine, writer: Writer) -> None:
    """The slice that it had accepted is done and told; the rest was not taken."""
    slices, held = Slices(writer, 0), hold(writer)
    first, *rest = [slices.run(add) for _ in range(3)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    while True:
        try:
            writer.run(lambda _: None)
        except StoreError:
            break
    held.set()
    assert first.result() == 1
    for each in rest:
        with pytest.raises(StoreError, match="stopping"):
            each.result()
    closing.join()
    assert kept(engine) == 1
