"""What a server of the schema before did to a fleet after the migration is counted right."""

import pytest
from sqlalchemy import bindparam, delete, insert, select, update

from server.in_use import NOTHING
from server.store import build_counts, builds_before, fleet
from server.store.following import renumber
from server.store.tables import build_counts as counted
from server.store.tables import build_log, machines
from tests.server.shop import BEHIND, DAY, HEAD, Laptop, Shop, profile

A, B = HEAD.sha256, BEHIND.sha256


@pytest.fixture
def laptops(shop: Shop) -> dict[str, Laptop]:
    """A fleet that an older server moved after the migration: it writes none of three things."""
    found = {label: shop.enrol(label) for label in ("anna", "ben", "cleo", "dora", "emil", "fred")}
    for each in (each for label, each in found.items() if label != "emil"):
        each.tell(profile(BEHIND))
    kept = {
        table: shop.read(lambda conn, table=table: conn.execute(select(table)).mappings().all())  # type: ignore[misc]
        for table in (counted, build_log)
    }
    builds = shop.rows("SELECT id, build FROM machines")
    shop.now += DAY
    found["anna"].tell(profile(HEAD))
    found["emil"].tell(profile())
    shop.write(
        lambda conn: fleet.move_to_group(conn, shop.current, found["ben"].id, "pilots", shop.now)
    )
    shop.write(lambda conn: fleet.leave(conn, found["cleo"].id, shop.now))
    shop.write(lambda conn: fleet.forget(conn, found["dora"].id, shop.now))
    for table, rows in kept.items():
        shop.write(lambda conn, table=table: conn.execute(delete(table)).close())  # type: ignore[misc]
        shop.write(lambda conn, table=table, rows=rows: conn.execute(insert(table), rows).close())  # type: ignore[misc]
    put_back = update(machines).where(machines.c.id == bindparam("of"))
    put_back = put_back.values(build=bindparam("had"))
    rows = [{"of": machine, "had": build} for machine, build in builds]
    shop.write(lambda conn: conn.execute(put_back, rows).close())
    return found


def test_each_machine_is_counted_as_it_is_now(shop: Shop, laptops: dict[str, Laptop]) -> None:
    """Who took another profile, was moved, left, is forgotten, or came; also what follows."""
    before = list(shop.read(lambda conn: list(build_counts.differences(conn))))
    assert any("5 are counted" in each for each in before)
    shop.write(lambda conn: builds_before.count_anew(conn, shop.now))
    now = {("default", A): 1, ("pilots", B): 1, ("default", NOTHING): 1, ("default", B): 1}
    assert shop.read(build_counts.kept) == now
    shop.counted()
    laptops["ben"].tell(profile(HEAD))
    laptops["emil"].tell(profile(HEAD))
    shop.write(lambda conn: fleet.forget(conn, laptops["cleo"].id, shop.now))
    assert shop.read(build_counts.kept) == {
        ("default", A): 2,
        ("pilots", A): 1,
        ("default", B): 1,
    }
    shop.counted()


@pytest.mark.usefixtures("laptops")
def test_it_is_done_before_the_first_term_only(shop: Shop) -> None:
    """From then on every server keeps builds, and a start reads no machine for it."""
    shop.write(lambda conn: renumber(conn, "term"))
    before = shop.read(build_counts.kept)
    shop.write(lambda conn: builds_before.count_anew(conn, shop.now))
    assert shop.read(build_counts.kept) == before
