"""Use of builds: summed by day and group, each count once, and no more rows than promised."""

import asyncio
import sqlite3
from typing import Any, Self

import msgspec
import psycopg
import pytest

from agent.wire import Ack, Activity, CheckIn
from server.activity import DAY_S, NOT_EXAMINED
from server.errors import RequestRefused
from server.store import activity
from server.store.activity import ROWS_MAX
from tests.server.shop import BEHIND, HEAD, NOW, Laptop, Shop, profile

MINE = profile(HEAD)
TODAY = NOW // DAY_S
SHA = HEAD.sha256


def using(message: CheckIn, *told: Activity) -> CheckIn:
    """The same check-in, telling of use."""
    return msgspec.structs.replace(message, activity=told)


def used(
    seconds: int = 60,
    *,
    day: int = TODAY,
    surface: str = "terminal",
    build: str | None = SHA,
    starts: int = 1,
) -> Activity:
    """Some use of a build; of the head today in a terminal, unless told otherwise."""
    return Activity(day, surface, build, seconds, starts)


def kept(shop: Shop) -> list[tuple[object, ...]]:
    """Everything that is kept of use."""
    return shop.rows("SELECT * FROM activity ORDER BY day, group_name, surface, build")


def told(shop: Shop, label: str = "anna") -> Laptop:
    """A machine that has the short way."""
    laptop = shop.enrol(label)
    laptop.tell(MINE)
    return laptop


def test_what_two_machines_tell_is_one_sum_of_their_group(shop: Shop) -> None:
    """By day, surface and build; no column says which machine it was."""
    first, second = told(shop), told(shop, "ben")
    for laptop in (first, second):
        laptop.send(using(laptop.message(MINE), used(60), used(5, build=None, starts=0)))
    assert kept(shop) == [
        (TODAY, "default", "terminal", NOT_EXAMINED, 10, 0),
        (TODAY, "default", "terminal", SHA, 120, 2),
    ]


@pytest.mark.parametrize("other", [MINE, profile(BEHIND)], ids=["unchanged", "changed"])
def test_a_check_in_told_again_adds_nothing(shop: Shop, other: object) -> None:
    """Neither on the short way nor on the slow one."""
    laptop = told(shop)
    message = laptop.message(MINE if other is MINE else profile(BEHIND))
    for _ in range(3):
        laptop.send(using(message, used()))
    assert kept(shop) == [(TODAY, "default", "terminal", SHA, 60, 1)]


def test_what_is_to_be_told_anew_is_counted_when_it_is(shop: Shop) -> None:
    """A lower seq and a past epoch are not taken: the same counts come in a new epoch."""
    laptop = told(shop)
    old = using(laptop.message(MINE), used())
    laptop.tell(MINE)
    assert laptop.send(old).resync
    mine, laptop.epoch, laptop.seq = laptop.epoch, "1" * 16, 0
    laptop.tell(MINE)
    laptop.epoch, laptop.seq = mine, 99
    assert laptop.send(using(laptop.message(MINE), used())).resync
    assert kept(shop) == []
    laptop.epoch, laptop.seq = "2" * 16, 0
    laptop.send(using(laptop.message(MINE), used()))
    assert kept(shop) == [(TODAY, "default", "terminal", SHA, 60, 1)]


def test_one_batch_adds_what_is_new_in_it_and_nothing_else(shop: Shop) -> None:
    """New ones on both ways, one told again, and one whose token does not hold."""
    plain, changed, again = told(shop), told(shop, "ben"), told(shop, "cleo")
    repeated = using(again.message(MINE), used(7, starts=0))
    again.send(repeated)

    async def batch() -> list[Ack | BaseException]:
        sent = (
            (plain.token, using(plain.message(MINE), used(100))),
            (changed.token, using(changed.message(profile(BEHIND)), used(1000))),
            (again.token, repeated),
            (again.token[:-1] + "!", using(again.message(MINE), used(50_000))),
        )
        asked = (shop.intake.check_in(token, message) for token, message in sent)
        return await asyncio.gather(*asked, return_exceptions=True)

    *answers, refused = asyncio.run(batch())
    assert all(isinstance(each, Ack) for each in answers)
    assert isinstance(refused, RequestRefused)
    assert kept(shop) == [(TODAY, "default", "terminal", SHA, 1107, 2)]


def test_a_group_keeps_what_was_told_while_a_machine_was_in_it(shop: Shop) -> None:
    """And what a paused machine tells counts as well."""
    laptop = told(shop)
    message = using(laptop.message(MINE), used())
    laptop.send(msgspec.structs.replace(message, paused_s=3600))
    assert kept(shop) == [(TODAY, "default", "terminal", SHA, 60, 1)]


def test_a_laptop_that_invents_builds_fills_no_table(shop: Shop) -> None:
    """Beyond the bound they are one row; public builds and known rows are still told apart."""
    laptop = told(shop)
    invented = [used(1, build=f"{number:064x}", starts=0) for number in range(ROWS_MAX + 100)]
    for start in range(0, len(invented), 64):
        laptop.send(using(laptop.message(MINE), *invented[start : start + 64]))
    laptop.send(using(laptop.message(MINE), used(), used(build=BEHIND.sha256), invented[0]))
    rows = {str(row[3]): row[4] for row in kept(shop)}
    assert len(rows) == ROWS_MAX + 3
    assert rows[NOT_EXAMINED] == 100
    assert (rows[SHA], rows[BEHIND.sha256]) == (60, 60)
    assert rows[f"{0:064x}"] == 2
    assert sum(int(str(each)) for each in rows.values()) == len(invented) + 121


def test_who_tells_of_no_use_costs_no_statement_more(shop: Shop) -> None:
    """With use it is two more, and four where a build was never told of and is not public."""
    laptop = told(shop)
    seen: list[str] = []
    shop.writer.run(lambda conn: _record(conn.connection.dbapi_connection, seen)).result()
    laptop.send(laptop.message(MINE))

    def statements(*told: Activity) -> int:
        seen.clear()
        laptop.send(using(laptop.message(MINE), *told))
        return len(seen)

    usual = statements()
    assert not any("activity" in each for each in seen)
    assert statements(used(), used(build=None)) == usual + 2
    assert statements(used(build="f" * 64)) == usual + 4
    assert statements(used(build="f" * 64)) == usual + 3


def _record(connection: object, seen: list[str]) -> None:
    """Every statement that a connection runs from here on."""
    if isinstance(connection, sqlite3.Connection):
        connection.set_trace_callback(seen.append)
        return

    class Recording(psycopg.Cursor[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
            seen.append(str(query))
            return super().execute(query, *args, **kwargs)

    assert isinstance(connection, psycopg.Connection)
    connection.cursor_factory = Recording


def test_the_latest_days_are_read_first(shop: Shop) -> None:
    """From a day on, of all groups or one."""
    laptop = told(shop)
    laptop.send(using(laptop.message(MINE), used(), used(day=TODAY - 3), used(day=TODAY - 9)))
    read = shop.read(lambda conn: activity.read(conn, TODAY - 3))
    assert [(each.day, each.group, each.seconds) for each in read] == [
        (TODAY, "default", 60),
        (TODAY - 3, "default", 60),
    ]
    assert shop.read(lambda conn: activity.read(conn, 0, "pilots")) == ()
