"""What is old goes, what is true stays, and nobody waits for it."""

import asyncio
import threading

import msgspec
import pytest
from sqlalchemy import Connection, insert

from agent.wire import Activity
from server.alerts import outbox as telling
from server.alerts.rows import Row
from server.keeper import Keeper
from server.retention import DAY_S, HOUR_S, Keep
from server.store import fleet, history, kept, outbox, public, read
from server.store.reproduced import reproduce
from server.store.tables import listened, stands, verdict_log
from server.store.timeline import timeline
from server.store.uptime import SPANS_MAX
from server.views.api import facts, past
from tests.server.shop import BEHIND, HEAD, NOW, Laptop, Shop, ledger, profile

MATCH, DRIFT = profile(HEAD), profile(BEHIND)
ODD = profile(HEAD, BEHIND)


def sweep(shop: Shop, **days: int) -> dict[str, int]:
    """One sweep; what is not named is kept for ever."""
    none = dict.fromkeys(Keep.__dataclass_fields__, 0)
    keeper = Keeper(shop.engine, shop.writer, shop.clock, Keep(**none | days))
    return dict(keeper.sweep())


def number(shop: Shop, table: str) -> int:
    """How many rows a table has."""
    ((found,),) = shop.rows(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own table
    assert isinstance(found, int)
    return found


def pass_days(shop: Shop, days: int) -> None:
    """Time goes by; heads are read meanwhile, and the jobs do what is due."""
    shop.now += days * DAY_S
    shop.current.ledger = ledger(since=NOW - DAY_S, read_at=shop.now)
    shop.judge_again()
    while shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 32)):
        pass


def live(shop: Shop, laptop: Laptop, days: int) -> None:
    """A laptop goes to and fro every day."""
    for day in range(days):
        pass_days(shop, 1)
        laptop.tell(DRIFT if day % 2 else MATCH)


def test_a_year_of_history_is_bounded_by_its_days(shop: Shop) -> None:
    """Whatever happened every day is there for so many days, and once more."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    sizes = []
    for _ in range(4):
        live(shop, laptop, 30)
        sweep(shop, history=20, shares=20, share_minutes=5)
        sizes.append(
            [number(shop, table) for table in ("assignments", "stands", "transitions", "count_log")]
        )
    assert sizes[0] == sizes[-1] or max(map(sum, sizes)) <= sum(sizes[0]) + 4
    assert all(size <= 50 for size in sizes[-1][:3])


def test_what_was_told_after_the_horizon_is_told_the_same_before_and_after(shop: Shop) -> None:
    """At every moment since; and of those before it, that they are not kept."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    shop.enrol("bob").tell(MATCH)
    live(shop, laptop, 40)
    horizon = shop.now - 15 * DAY_S
    moments = range(horizon, shop.now + 1, HOUR_S * 7)

    def answers() -> list[object]:
        return [
            (
                shop.read(lambda conn, at=at: history.machine_at(conn, laptop.id, at)),  # type: ignore[misc]
                shop.read(lambda conn, at=at: history.share_at(conn, at)),  # type: ignore[misc]
            )
            for at in moments
        ]

    before = answers()
    since = [
        each for each in shop.read(lambda conn: timeline(conn, laptop.id)) if each.at >= horizon
    ]
    assert sweep(shop, history=15)["assignments"] > 10
    assert answers() == before
    after = shop.read(lambda conn: timeline(conn, laptop.id))
    assert list(after[-len(since) :]) == since
    assert len(after) <= len(since) + 1
    seen = shop.read(lambda conn: past.machine_at(conn, laptop.id, horizon - 1))
    assert seen is not None
    assert seen.standing is None
    assert str(seen.reason).startswith("not kept that long: what is kept begins at ")


def test_shares_of_long_ago_are_told_by_the_hour(shop: Shop) -> None:
    """The same numbers as before, of the beginning of the hour; then not at all."""
    laptops = [shop.enrol(f"laptop-{each}") for each in range(3)]
    for laptop in laptops * 4:
        shop.now += 420
        laptop.tell(DRIFT if laptop.seq % 3 else MATCH)
    hour = shop.now - shop.now % HOUR_S
    before = shop.read(lambda conn: history.share_at(conn, hour))
    rows = number(shop, "count_log")
    pass_days(shop, 40)
    sweep(shop, share_minutes=31)
    assert number(shop, "count_log") < rows
    again = shop.read(lambda conn: history.share_at(conn, hour + 1_900))
    assert (again.as_of, again.counts) == (hour, before.counts)
    shop.counted()
    pass_days(shop, 40)
    sweep(shop, shares=60)
    told = shop.read(lambda conn: past.share(conn, hour, shop.now, None))
    assert told.tally is None
    assert str(told.reason).startswith("not kept that long")
    now = shop.read(lambda conn: past.share(conn, shop.now - 60, shop.now, None))
    assert now.tally is not None
    shop.counted()


def test_an_away_machine_is_told_as_it_was_however_long_it_was_away(shop: Shop) -> None:
    """How it stood before it went is the last word of long ago, and stays."""
    laptop = shop.enrol("ada")
    laptop.tell(DRIFT)
    shop.judge_again()
    pass_days(shop, 30)
    ((standing,),) = shop.rows("SELECT exception FROM machines")
    assert standing == "silent"
    pass_days(shop, 100)
    sweep(shop, history=10)
    view = shop.read(lambda conn: read.machine_view(conn, shop.current, laptop.id, shop.now))
    assert view is not None
    assert view.findings
    laptop.tell(DRIFT)
    ((away_s,),) = shop.rows("SELECT away_s FROM transitions WHERE away_s IS NOT NULL")
    assert away_s == 130 * DAY_S


def test_profiles_go_when_nothing_refers_to_them(shop: Shop) -> None:
    """With their verdicts; one that somebody has, had, or is asked for stays."""
    ada, bob = shop.enrol("ada"), shop.enrol("bob")
    ada.tell(DRIFT)
    ada.tell(MATCH)
    bob.tell(ODD)
    pass_days(shop, 40)
    assert sweep(shop, profiles=30) == {}
    sweep(shop, history=20)
    assert sweep(shop, profiles=30) == {"profiles": 1}  # DRIFT: its history is over
    shop.write(lambda conn: fleet.forget(conn, bob.id, shop.now))
    assert sweep(shop, profiles=30) == {"profiles": 1}
    assert number(shop, "profiles") == number(shop, "verdicts") == 1
    assert shop.counted() == {"silent": 1}
    ada.tell(DRIFT)
    assert number(shop, "profiles") == 2


def test_answers_about_versions_stay_as_long_as_a_profile_names_them(shop: Shop) -> None:
    """Positive or negative: a verdict may rest on it."""
    shop.enrol("ada").tell(MATCH)

    def answered(conn: Connection) -> None:
        for version, outcome in (("2.1.330", "found"), ("9.9.9", "absent"), ("9.9.8", "found")):
            public.ask(conn, [version], shop.now)
            public.answer(conn, version, outcome, None, shop.now)  # type: ignore[arg-type]
        public.ask(conn, ["9.9.7"], shop.now)

    shop.write(answered)
    assert sweep(shop, lookups=30) == {}
    shop.now += 31 * DAY_S
    assert sweep(shop, lookups=30) == {"lookups": 2}
    assert shop.rows("SELECT version FROM lookups ORDER BY version") == [("2.1.330",), ("9.9.7",)]


def test_machines_that_left_are_forgotten(shop: Shop) -> None:
    """With label, owner and all rows; those that are there stay, however silent."""
    gone = shop.enrol("gone")
    gone.tell(MATCH)
    shop.enrol("stays").tell(MATCH)
    shop.write(lambda conn: fleet.leave(conn, gone.id, shop.now))
    pass_days(shop, 39)
    assert sweep(shop, left_machines=40) == {}
    pass_days(shop, 2)
    assert sweep(shop, left_machines=40) == {"machines": 1}
    for table, column in (
        ("assignments", "machine_id"),
        ("stands", "machine_id"),
        ("transitions", "machine_id"),
        ("presence", "machine_id"),
        ("machines", "id"),
    ):
        assert (gone.id,) not in shop.rows(f"SELECT {column} FROM {table}")  # noqa: S608 - our own names
    assert shop.counted() == {"silent": 1}


def test_messages_go_once_they_are_settled(shop: Shop) -> None:
    """One that waits stays, and an incident that lasts, so that its end is told."""

    def write(conn: Connection) -> None:
        for topic in ("a", "b", "c"):
            outbox.insert(conn, Row(0, topic, "drifted", "{}", shop.now), shop.now)
        telling.tell_operator(conn, "source npm", "it is silent", shop.now)
        telling.tell_operator(conn, "source bucket", "it is silent", shop.now)
        telling.end_operator(conn, "source bucket", "it speaks", shop.now)
        conn.exec_driver_sql(f"UPDATE outbox SET delivered_at = {shop.now} WHERE topic <> 'c'")  # noqa: S608 - our own clock

    shop.write(write)
    shop.now += 91 * DAY_S
    assert sweep(shop, messages=90) == {"outbox": 3}
    shop.write(lambda conn: telling.end_operator(conn, "source npm", "it speaks", shop.now))
    topics = [row[0] for row in shop.rows("SELECT topic FROM outbox ORDER BY id")]
    assert topics.count("operator source npm") == 2
    assert "c" in topics
    assert shop.read(outbox.outbox_health).delivered_at is not None


def test_days_of_builds_go_and_those_that_stay_tell_the_same(shop: Shop) -> None:
    """Also of a build that has not changed since: what is not kept is not told."""
    still, laptop = shop.enrol("still"), shop.enrol("ada")
    still.tell(ODD)
    live(shop, laptop, 10)
    before = shop.read(lambda conn: facts.versions(conn, shop.current, 5, shop.now, None))
    assert sweep(shop, shares=4)["build_log"] == 10
    assert number(shop, "build_log") == 10
    shop.counted()
    assert shop.read(lambda conn: facts.versions(conn, shop.current, 5, shop.now, None)) == before
    told = shop.read(lambda conn: facts.versions(conn, shop.current, 30, shop.now, None))
    assert told == before


def test_use_is_kept_for_whole_days(shop: Shop) -> None:
    """What is left of it is as it was told."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    for _ in range(10):
        pass_days(shop, 1)
        told = Activity(day=shop.now // DAY_S, surface="terminal", seconds=60, starts=1)
        message = laptop.message(MATCH)
        laptop.send(msgspec.structs.replace(message, activity=(told,)))
    before = shop.rows("SELECT * FROM activity ORDER BY day")
    assert sweep(shop, activity=4) == {"activity": 5}
    assert shop.rows("SELECT * FROM activity ORDER BY day") == before[5:]


def test_days_of_use_that_are_not_kept_are_not_told_as_days_without_any(shop: Shop) -> None:
    """The answer begins where what is kept does."""
    shop.now += 60 * DAY_S
    sweep(shop, activity=4)
    told = shop.read(lambda conn: facts.used(conn, shop.current, 30, shop.now, None))
    assert (told.since, told.days) == (shop.now // DAY_S * DAY_S - 4 * DAY_S, 5)


def test_spans_of_listening_are_bounded(shop: Shop) -> None:
    """By the number that is ever read."""
    rows = [{"began_at": each * 600, "last_at": each * 600} for each in range(SPANS_MAX + 700)]
    shop.write(lambda conn: conn.execute(insert(listened), rows))
    assert sweep(shop, history=1) == {"listened": 700}
    assert shop.rows("SELECT min(began_at) FROM listened") == [(700 * 600,)]


def test_a_sweep_that_was_cut_short_is_taken_up(shop: Shop) -> None:
    """Each slice holds by itself; what it left is found by the next."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    pairs = [
        {"machine_id": laptop.id, "at": NOW + each, "exception": None, "body": None}
        for each in range(1_200)
    ]
    shop.write(lambda conn: conn.execute(insert(stands), pairs))
    shop.now += 60 * DAY_S

    class CutError(RuntimeError):
        """The power went."""

    turns = iter(range(100))

    class CutShort:
        def run(self, work):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            if next(turns) == 3:
                raise CutError
            return shop.writer.run(work)

    none = dict.fromkeys(Keep.__dataclass_fields__, 0)
    keep = Keep(**none | {"history": 30})
    keeper = Keeper(shop.engine, CutShort(), shop.clock, keep)  # type: ignore[arg-type]
    with pytest.raises(CutError):
        keeper.sweep()
    left = number(shop, "stands")
    assert 1 < left < 1_200
    sweep(shop, history=30)
    assert number(shop, "stands") == 1


def test_check_ins_go_on_beside_fifty_thousand_rows_that_go(shop: Shop) -> None:
    """Others have a turn after each slice: every one of theirs ends while the sweep goes on."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    ((profile_id,),) = shop.rows("SELECT id FROM profiles")
    ((body,),) = shop.rows("SELECT body FROM verdicts")
    rows = [
        {"profile_id": profile_id, "group_name": "old", "at": NOW + each, "standing": "match"}
        | {"body": body}
        for each in range(50_000)
    ]
    shop.write(lambda conn: conn.execute(insert(verdict_log), rows))
    shop.now += 60 * DAY_S
    shop.current.ledger = ledger(read_at=shop.now)
    done: list[dict[str, int]] = []
    sweeping = threading.Thread(target=lambda: done.append(sweep(shop, history=30)))
    sweeping.start()
    beside = 0
    while not done:
        asyncio.run(shop.intake.check_in(laptop.token, laptop.message(MATCH)))
        beside += not done
    sweeping.join()
    assert done == [{"verdict_log": 49_999}]
    assert beside >= 10
    assert shop.rows("SELECT seq FROM presence") == [(laptop.seq,)]


def test_pruning_changes_nothing_that_is_true(shop: Shop) -> None:
    """Counts, verdicts and standings are what they were, and what the judge says."""
    laptops = [shop.enrol(f"laptop-{each}") for each in range(4)]
    for day in range(30):
        pass_days(shop, 1)
        for place, laptop in enumerate(laptops):
            if place < 3 or day < 5:
                laptop.tell((MATCH, DRIFT, ODD)[(day // (place + 1)) % 3])

    def seen(laptop: Laptop) -> object:
        now = shop.now
        return shop.read(lambda conn: read.machine_view(conn, shop.current, laptop.id, now))

    def true() -> list[object]:
        tables = ("machines", "counts", "presence")
        rows = [shop.rows(f"SELECT * FROM {each} ORDER BY 1, 2") for each in tables]  # noqa: S608 - our own
        return [*rows, *map(seen, laptops)]

    before = true()
    days = dict.fromkeys(Keep.__dataclass_fields__, 1)
    assert sweep(shop, **days)
    assert true() == before
    shop.counted()
    made = shop.read(lambda conn: reproduce(conn, shop.current, shop.now))
    assert made.wrong == ()
    assert shop.read(lambda conn: kept.since(conn, "history")) == shop.now - DAY_S
    # Nothing more goes until time does.
    assert sweep(shop, **days) == {}
