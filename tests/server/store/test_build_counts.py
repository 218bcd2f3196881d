"""How many machines have which build: kept with every change, on every kind of database."""

from sqlalchemy import insert, select, text

from server.in_use import NOTHING, Day
from server.store import build_counts, fleet
from server.store.engine import open_engine, upgrade, writing
from server.store.tables import machines, metadata, profiles
from tests.server.databases import NewDatabase
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Shop, profile

TODAY = NOW // DAY

A, B = HEAD.sha256, BEHIND.sha256


def logged(shop: Shop, since: int = TODAY) -> set[Day]:
    """What changed on the days since one."""
    return set(shop.read(lambda conn: build_counts.days(conn, since)))


def test_a_machine_is_counted_by_its_profiles_build_until_it_leaves(shop: Shop) -> None:
    """Not before its first profile; silence and verdicts do not matter, its group does."""
    anna, ben = shop.enrol("anna"), shop.enrol("ben")
    assert shop.read(build_counts.kept) == {}
    anna.tell(profile(BEHIND))
    ben.tell(profile(BEHIND, HEAD))
    assert shop.read(build_counts.kept) == {("default", B): 2}
    shop.now += DAY
    anna.tell(profile(HEAD))
    shop.write(lambda conn: fleet.move_to_group(conn, shop.current, ben.id, "pilots", shop.now))
    assert shop.read(build_counts.kept) == {("default", A): 1, ("pilots", B): 1}
    ben.tell(profile())
    assert shop.read(lambda conn: build_counts.kept(conn, "pilots")) == {("pilots", NOTHING): 1}
    shop.write(lambda conn: fleet.leave(conn, ben.id, shop.now))
    shop.write(lambda conn: fleet.forget(conn, ben.id, shop.now))
    shop.write(lambda conn: fleet.forget(conn, anna.id, shop.now))
    assert shop.read(build_counts.kept) == {}
    shop.counted()
    assert logged(shop) == {
        Day(TODAY, "default", B, 0, 2),
        Day(TODAY + 1, "default", B, 2, 0),
        Day(TODAY + 1, "default", A, 0, 0),
        Day(TODAY + 1, "pilots", B, 0, 0),
        Day(TODAY + 1, "pilots", NOTHING, 0, 0),
    }


def test_neither_a_release_nor_a_verdict_moves_a_count(shop: Shop) -> None:
    """What is public about a build is looked up when somebody asks."""
    shop.enrol("anna").tell(profile(HEAD))
    before = logged(shop)
    shop.now += 4 * DAY
    shop.judge_again()
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert shop.counted() == {"silent": 1}
    assert logged(shop) == before == {Day(TODAY, "default", A, 0, 1)}


def test_days_of_a_clock_that_ran_ahead_are_taken_back(shop: Shop) -> None:
    """By the next change of that number."""
    anna = shop.enrol("anna")
    shop.now += 9 * DAY
    anna.tell(profile(HEAD))
    shop.now = NOW
    shop.enrol("ben").tell(profile(HEAD))
    shop.counted()
    assert logged(shop) == {Day(TODAY, "default", A, 1, 2)}


def test_every_wrong_number_is_one_sentence(shop: Shop) -> None:
    """Of the present, and of the last of the days."""
    shop.enrol("anna").tell(profile(HEAD))
    shop.enrol("ben").tell(profile(BEHIND))
    for damage in (
        f"UPDATE build_counts SET machines = 7 WHERE build = '{A}'",  # noqa: S608 - a digest
        f"UPDATE build_log SET machines = 3 WHERE build = '{B}'",  # noqa: S608 - a digest
        "INSERT INTO build_counts VALUES ('ghosts', '', 2)",
    ):
        shop.write(lambda conn, damage=damage: conn.execute(text(damage)).close())  # type: ignore[misc]
    assert shop.read(lambda conn: list(build_counts.differences(conn))) == [
        f"group default, build {A[:12]}: 7 are counted, 1 are there",
        "group ghosts, build not examined: 2 are counted, 0 are there",
        f"group default, build {A[:12]}: 7 are counted, the days of builds end with 1",
        f"group default, build {B[:12]}: 1 are counted, the days of builds end with 3",
    ]


def test_a_fleet_of_an_older_schema_is_counted_as_it_is(new_database: NewDatabase) -> None:
    """Each machine by its profile's bytes as they are stored; from the migration on."""
    old, new = Shop(new_database()), open_engine(new_database())
    for label, told in (("anna", profile(HEAD, BEHIND)), ("ben", profile()), ("cleo", None)):
        laptop = old.enrol(label)
        if told is not None:
            laptop.tell(told)
    gone = old.enrol("dora")
    gone.tell(profile(HEAD))
    old.write(lambda conn: fleet.leave(conn, gone.id, NOW))
    with writing(new) as conn:
        metadata.drop_all(conn)
        conn.execute(text("DROP TABLE alembic_version"))
        upgrade(conn, "0005")
        for table in (profiles, machines):
            rows = old.read(lambda conn, table=table: conn.execute(select(table)).all())  # type: ignore[misc]
            values = [row._asdict() for row in rows]
            for each in values:
                each.pop("build", None)
            conn.execute(insert(table), values)
        upgrade(conn)
        counted, days = build_counts.kept(conn), build_counts.days(conn, 0)
        assert list(build_counts.differences(conn)) == []
    assert counted == old.read(build_counts.kept) == {("default", A): 1, ("default", NOTHING): 1}
    assert [(each.before, each.machines) for each in days] == [(1, 1), (1, 1)]
    old.close()
    new.dispose()
