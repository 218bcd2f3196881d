"""Opening and migrating a database: what every kind promises, and what stands in the way."""

import threading

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from server.errors import StoreError
from server.store.dialect import total
from server.store.engine import migrate, open_engine, reading, writable, writing
from server.store.tables import counts

ADD = text("INSERT INTO counts VALUES (:name, 'match', 1)")


def names(conn: Connection) -> list[str]:
    """What was added."""
    return list(conn.execute(text("SELECT group_name FROM counts ORDER BY 1")).scalars())


def test_other_connections_cannot_write(engine: Engine) -> None:
    """Not even after one of the pool was the writer's."""
    with writing(engine) as conn:
        conn.execute(ADD, {"name": "a"})
    with engine.connect() as conn, pytest.raises(DBAPIError, match=r"read-?only"):
        conn.execute(text("DELETE FROM counts"))


def test_what_was_written_in_a_transaction_that_fails_is_not_there(engine: Engine) -> None:
    """All of it holds, or nothing."""

    def fail() -> None:
        with writing(engine) as conn:
            conn.execute(ADD, {"name": "a"})
            raise LookupError("no")

    with pytest.raises(LookupError):
        fail()
    with reading(engine) as conn:
        assert names(conn) == []


def test_one_transaction_writes_at_a_time(engine: Engine) -> None:
    """The second one begins when the first is over, and sees what that wrote."""
    begins, seen = threading.Event(), list[list[str]]()

    def second() -> None:
        begins.set()
        with writing(engine) as conn:
            seen.append(names(conn))
            conn.execute(ADD, {"name": "b"})

    thread = threading.Thread(target=second)
    with writing(engine) as conn:
        thread.start()
        begins.wait()
        conn.execute(ADD, {"name": "a"})
        assert seen == []
    thread.join()
    assert seen == [["a"]]
    with reading(engine) as conn:
        assert names(conn) == ["a", "b"]


def test_a_reader_sees_one_moment(engine: Engine) -> None:
    """What is written between two of its statements is not there in the second."""
    with reading(engine) as conn:
        assert names(conn) == []
        with writing(engine) as other:
            other.execute(ADD, {"name": "a"})
        assert names(conn) == []
    with reading(engine) as conn:
        assert names(conn) == ["a"]


def test_words_are_compared_by_their_bytes(engine: Engine) -> None:
    """Capitals come first, letters with accents last, and no two spellings are equal."""
    spelt = ["Zoe", "anna", "\u00e9mile", "Anna", "anna b", "anna-a"]
    with writing(engine) as conn:
        for name in spelt:
            conn.execute(ADD, {"name": name})
        assert names(conn) == sorted(spelt)


def test_a_sum_is_a_whole_number(engine: Engine) -> None:
    """Of nothing as well: what is counted goes into messages as it is."""
    with writing(engine) as conn:
        assert conn.execute(select(total(counts.c.machines))).scalar_one() == 0
        conn.execute(ADD, {"name": "a"})
        conn.execute(ADD, {"name": "b"})
        found = conn.execute(select(total(counts.c.machines))).scalar_one()
    assert (found, type(found)) == (2, int)


def test_a_mistake_within_a_savepoint_harms_nothing_else(engine: Engine) -> None:
    """One laptop's trouble is undone; the batch goes on and commits."""
    with writable(engine) as conn, conn.begin():
        conn.execute(ADD, {"name": "a"})
        with pytest.raises(DBAPIError):
            _add_both(conn)
        conn.execute(ADD, {"name": "c"})
    with reading(engine) as conn:
        assert names(conn) == ["a", "c"]


def _add_both(conn: Connection) -> None:
    with conn.begin_nested():
        conn.execute(ADD, {"name": "b"})
        conn.execute(ADD, {"name": "a"})


def test_migrating_twice_changes_nothing(database: str) -> None:
    """A second run finds its work done."""
    engine = open_engine(database)
    with writing(engine) as conn:
        conn.execute(ADD, {"name": "a"})
    migrate(database)
    with reading(engine) as conn:
        assert names(conn) == ["a"]
    engine.dispose()


@pytest.mark.parametrize("opened", [migrate, open_engine])
def test_a_newer_schema_is_refused(opened: object, database: str) -> None:
    """An older server would write what the newer one cannot read."""
    engine = open_engine(database)
    with writing(engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="was written by a newer version") as refused:
        opened(database)  # type: ignore[operator]
    assert "run that version" in refused.value.advice


def test_an_older_schema_is_told_with_the_command_that_renews_it(database: str) -> None:
    """As one without any of our tables is."""
    engine = open_engine(database)
    with writing(engine) as conn:
        conn.execute(text("DELETE FROM alembic_version"))
    engine.dispose()
    with pytest.raises(StoreError, match="older schema") as refused:
        open_engine(database)
    assert "parity-server migrate" in refused.value.advice


@pytest.mark.parametrize("opened", [migrate, open_engine])
def test_an_unknown_kind_of_database_is_told_without_its_password(opened: object) -> None:
    """With addresses of the kinds that are known."""
    with pytest.raises(StoreError, match="no kind of database 'mysql'") as refused:
        opened("mysql://u:secret@host/db")  # type: ignore[operator]
    assert "secret" not in str(refused.value)
    assert "postgresql://" in refused.value.advice


def test_an_unreadable_address_is_not_repeated() -> None:
    """It may hold a password in a place where nobody would look for it."""
    with pytest.raises(StoreError) as refused:
        migrate("u:secret@host")
    assert "secret" not in f"{refused.value} {refused.value.advice}"
