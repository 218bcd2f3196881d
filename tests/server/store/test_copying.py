"""An installation moves to another database: every row, or nothing."""

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert, select, text

from server import enrolment
from server.errors import StoreError
from server.store import copying, counts
from server.store.copying import copy
from server.store.engine import open_engine, reading, writing
from server.store.tables import metadata, profiles
from server.store.writer import Writer
from tests.postgres import Postgres
from tests.server.databases import Files
from tests.server.shop import BEHIND, DAY, HEAD, Shop, profile


@pytest.fixture
def moved(sqlite_files: Files, postgres: Postgres) -> Iterator[tuple[str, str]]:
    """The addresses of a SQLite database and of an empty one to move to."""
    pair = sqlite_files.database(), postgres.database()
    yield pair
    sqlite_files.drop(pair[0])
    postgres.drop(pair[1])


@pytest.fixture
def engines(moved: tuple[str, str]) -> Iterator[tuple[Engine, Engine]]:
    """Both of them, opened."""
    source, target = (open_engine(url) for url in moved)
    yield source, target
    source.dispose()
    target.dispose()


def lived(url: str) -> None:
    """Some life in a store: machines, profiles, verdicts, messages, silence, and one that left."""
    shop = Shop(url)
    for number, build in enumerate((HEAD, BEHIND, HEAD)):
        shop.enrol(f"l\u00e4ptop-{number}").tell(profile(build))
    gone = shop.enrol("gone")
    gone.tell(profile(HEAD, BEHIND))
    shop.now += 2 * DAY
    shop.judge_again()
    shop.close()


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with reading(engine) as conn:
        return {
            table.name: [
                tuple(row) for row in conn.execute(select(table).order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
        }


def test_every_row_arrives_as_it_was(
    moved: tuple[str, str], engines: tuple[Engine, Engine]
) -> None:
    """Of every table, and is told by table."""
    lived(moved[0])
    before = everything(engines[0])
    told = {copied.table: copied.rows for copied in copy(*engines)}
    assert everything(engines[1]) == before == everything(engines[0])
    assert told == {name: len(rows) for name, rows in before.items()}
    assert told["machines"] == 4


def test_the_server_goes_on_there_as_if_nothing_had_happened(
    moved: tuple[str, str], engines: tuple[Engine, Engine]
) -> None:
    """Laptops keep their tokens, new rows take new numbers, and the counts are right."""
    shop = Shop(moved[0])
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.close()
    copy(*engines)
    other = Shop(moved[1])
    laptop.shop = other
    assert laptop.send(laptop.message(profile(HEAD))).state == "match"
    assert laptop.tell(profile(BEHIND)).state == "pending"
    assert other.enrol("ben").tell(profile(HEAD)).state == "match"
    assert other.counted() == {"pending": 1, "match": 1}
    other.close()


def test_more_rows_than_a_batch_arrive(engines: tuple[Engine, Engine]) -> None:
    """The last batch is no whole one."""
    body = itertools.count()
    rows = [
        {"digest": f"sha256:{number:064x}", "body": bytes([next(body) % 256]), "received_at": 1}
        for number in range(2 * copying.BATCH + 1)
    ]
    with writing(engines[0]) as conn:
        conn.execute(insert(profiles), rows)
    copy(*engines)
    assert everything(engines[1]) == everything(engines[0])


def test_a_target_with_rows_is_left_alone(engines: tuple[Engine, Engine]) -> None:
    """Whatever they are."""
    with writing(engines[1]) as conn:
        enrolment.create_secret(conn, "default", 1)
    before = everything(engines[1])
    with pytest.raises(StoreError, match="has rows already, in enrolment_secrets"):
        copy(*engines)
    assert everything(engines[1]) == before


@pytest.mark.parametrize("place", [0, 1])
def test_a_database_that_a_server_works_on_is_not_copied(
    engines: tuple[Engine, Engine], place: int
) -> None:
    """Neither from it nor to it: what it acknowledged meanwhile would be lost."""
    writer = Writer(engines[place])
    with pytest.raises(StoreError, match="another server already works on"):
        copy(*engines)
    writer.close()
    copy(*engines)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("machines SET owner = 'a' || char(0) || 'b'", "a row of machines cannot be copied"),
        ("profiles SET body = 'no bytes'", "a row of profiles cannot be copied"),
        ("profiles SET received_at = 1.5", "profiles did not arrive as it was"),
    ],
)
def test_a_row_that_does_not_arrive_as_it_was_keeps_all_others_out(
    moved: tuple[str, str], engines: tuple[Engine, Engine], damage: str, said: str
) -> None:
    """SQLite keeps values that have no place elsewhere: the table is told, and nothing stays."""
    lived(moved[0])
    with writing(engines[0]) as conn:
        conn.execute(text(f"UPDATE {damage}"))
    with pytest.raises(StoreError, match=said):
        copy(*engines)
    assert not any(everything(engines[1]).values())


def test_what_moved_is_sound(moved: tuple[str, str], engines: tuple[Engine, Engine]) -> None:
    """Its counts equal a recount there."""
    lived(moved[0])
    copy(*engines)
    with reading(engines[1]) as conn:
        assert list(counts.differences(conn)) == []
