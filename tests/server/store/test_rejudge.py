"""Verdicts judged again: exact, told once, and never at the writer's cost."""

import json
import threading
from typing import Any

from sqlalchemy import Connection, event, insert, select, text, update

from agent.wire import Build, Override
from server.enrolment import create_secret
from server.policy import GroupPolicy, Policies
from server.releases.ledger import Artifact, Ledger, Reading, Release
from server.store import fleet, rejudge
from server.store.rejudge import judge_again
from server.store.revisions import LABELS_MAX
from server.store.slices import Slice
from server.store.tables import profiles, verdicts
from server.store.verdicts import FAILED_AGAIN_S, read_verdict
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Shop, ledger, profile

OTHER = profile(BEHIND)


def fleet_rows(shop: Shop) -> list[tuple[object, ...]]:
    """The fleet's transitions."""
    return shop.rows(
        "SELECT at, before, after, cause, machines FROM transitions WHERE kind = 'fleet'"
    )


def test_a_verdict_turns_to_drift_exactly_when_its_grace_ends(shop: Shop) -> None:
    """Not a second earlier; all machines that share it with one row, and one message."""
    for number in range(7):
        shop.enrol(f"laptop-{number}").tell(OTHER)
    deadline = NOW - 3600 + DAY
    shop.current.ledger = ledger(read_at=deadline)
    shop.judge_again()
    shop.now = deadline - 1
    shop.judge_again(only_due=True)
    assert shop.counted() == {"pending": 7}
    shop.now = deadline
    assert shop.judge_again(only_due=True) == 1
    assert shop.counted() == {"drift": 7}
    assert fleet_rows(shop) == [(deadline, "pending", "drift", "build-behind", 7)]
    ((told, body),) = shop.rows("SELECT told, body FROM outbox")
    assert told == "drifted"
    assert str(body).count("laptop-") == LABELS_MAX


def test_a_release_turns_matching_machines_to_pending(shop: Shop) -> None:
    """One row for all, nothing told, and no row of any machine is written."""
    laptops = [shop.enrol(f"laptop-{number}") for number in range(3)]
    shop.current.ledger = ledger(BEHIND)
    for laptop in laptops:
        laptop.tell(OTHER)
    before = shop.rows("SELECT * FROM machines")
    shop.current.ledger = ledger(HEAD, shop.now, shop.now)
    assert shop.judge_again() == 1
    assert shop.counted() == {"pending": 3}
    assert fleet_rows(shop) == [(NOW, "match", "pending", "build-behind", 3)]
    assert shop.rows("SELECT * FROM machines") == before
    assert shop.rows("SELECT count(*) FROM outbox") == [(0,)]


def test_an_ack_tells_by_its_tag_that_a_verdict_changed(shop: Shop) -> None:
    """The next unchanged check-in has the new state."""
    laptop = shop.enrol("anna")
    shop.current.ledger = ledger(BEHIND)
    first = laptop.tell(OTHER)
    shop.current.ledger = ledger(HEAD)
    shop.judge_again()
    second = laptop.send(laptop.message(OTHER))
    assert (first.state, second.state) == ("match", "pending")
    assert first.tag != second.tag
    assert second.tag == laptop.view().tag


def test_judging_again_without_news_writes_nothing(shop: Shop) -> None:
    """A head that was only read again moves no timer."""
    shop.enrol("anna").tell(OTHER)
    shop.current.ledger = ledger(read_at=NOW + 300)
    assert shop.judge_again() == 0


def test_a_timer_that_rings_without_a_change_is_set_anew(shop: Shop) -> None:
    """A head read again since is good for six hours more."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.now += DAY // 4
    shop.current.ledger = ledger(read_at=shop.now)
    assert shop.judge_again(only_due=True) == 1
    assert shop.judge_again(only_due=True) == 0
    assert shop.rows("SELECT next_change_at FROM verdicts") == [(shop.now + DAY // 4,)]
    assert shop.rows("SELECT count(*) FROM verdict_log") == [(1,)]


def test_an_outage_is_told_to_no_laptop(shop: Shop) -> None:
    """A day without a reading: unknown; the next reading: drift as before, told once."""
    shop.current.ledger = ledger(read_at=NOW + DAY)
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    shop.now += DAY
    shop.judge_again(only_due=True)
    shop.now += DAY
    shop.judge_again(only_due=True)
    assert shop.counted() == {"unknown": 1}
    shop.current.ledger = ledger(read_at=shop.now)
    shop.judge_again()
    assert shop.counted() == {"drift": 1}
    assert shop.rows("SELECT told FROM outbox") == [("drifted",)]


NEWEST = Build("c" * 64, 381_121_041, "binary", "2.1.331", "linux-x64")
LOW = Override("setting", "effortLevel", "user", "behaviour", value="low")


def update_past_what_is_known(shop: Shop) -> None:
    """Ada drifted and was told; then she and ben take a build that nobody knows yet."""
    ada, ben = shop.enrol("ada"), shop.enrol("ben")
    ada.tell(profile(HEAD, overrides=(LOW,)))
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE outbox SET delivered_at = 1").close())
    assert ada.tell(profile(NEWEST)).state == "unknown"
    assert ben.tell(profile(NEWEST)).state == "unknown"


def publish_newest(shop: Shop, sha256: str) -> None:
    """The look-up finds that the newest release has these bytes."""
    artifact = Artifact("2.1.331", "linux-x64", "binary", sha256, 1, "registry", "npm")
    readings = [Reading("npm", "latest", "2.1.331", NOW, NOW)]
    shop.current.ledger = Ledger(readings, [Release("2.1.331", NOW)], [artifact])
    shop.judge_again()


def told_now(shop: Shop) -> list[tuple[str, int, list[str]]]:
    """What waits to be told of the fleet: the word, how many machines, and labels."""
    rows = shop.rows("SELECT told, body FROM outbox WHERE topic LIKE 'fleet%' ORDER BY id")
    bodies = [(str(told), json.loads(str(body))) for told, body in rows]
    return [(told, body["machines"], body["labels"]) for told, body in bodies]


def test_who_drifted_and_updated_to_an_unknown_build_is_told_healed(shop: Shop) -> None:
    """Ben, of whom nobody heard anything, is not counted."""
    update_past_what_is_known(shop)
    publish_newest(shop, NEWEST.sha256)
    assert shop.counted() == {"match": 2}
    assert told_now(shop) == [("healed", 1, ["ada"])]
    assert shop.rows("SELECT count(*) FROM machines WHERE told IS NOT NULL") == [(0,)]


def test_who_drifted_and_still_drifts_after_its_update_is_not_told_again(shop: Shop) -> None:
    """Of the two only ben is news."""
    update_past_what_is_known(shop)
    publish_newest(shop, "d" * 64)
    assert shop.counted() == {"drift": 2}
    assert [each[:2] for each in told_now(shop)] == [("drifted", 1)]


def test_a_pair_that_nobody_has_is_judged_too(shop: Shop) -> None:
    """Who takes it later is told by itself, with the verdict of then."""
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    laptop.tell(profile(HEAD))
    shop.current.ledger = ledger(read_at=NOW + DAY)
    shop.now += DAY
    shop.judge_again()
    assert fleet_rows(shop) == []
    assert laptop.tell(OTHER).state == "drift"
    assert shop.rows("SELECT told FROM outbox") == [("drifted",)]


def test_a_finding_that_comes_while_a_profile_is_held_begins_then(shop: Shop) -> None:
    """Not when the machine took the profile."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.now += 500
    shop.current.ledger = ledger(BEHIND, shop.now, shop.now)
    shop.judge_again()
    (finding,) = laptop.view().findings
    assert (finding.code, finding.since) == ("build-ahead", shop.now)
    assert laptop.view().since == shop.now


def test_versions_to_look_up_are_asked_for(shop: Shop) -> None:
    """With the verdict that waits for them, in its transaction."""
    unknown = profile(Build("d" * 64, 1, "binary", "9.9.9", "linux-x64"))
    shop.enrol("anna").tell(unknown)
    assert shop.rows("SELECT version, answered_at FROM lookups") == [("9.9.9", None)]
    assert shop.rows("SELECT settling FROM verdicts") == [(1,)]


def test_many_verdicts_are_written_in_slices_that_let_others_in(shop: Shop) -> None:
    """Where they take long, other work that was asked for meanwhile is done between them."""
    number = rejudge.WRITE_MAX + 5
    shop.current.ledger = ledger(BEHIND)
    laptop = shop.enrol("anna")
    for each in range(number):
        if each % 15 == 0:
            laptop = shop.enrol(f"laptop-{each}")
        laptop.tell(profile(BEHIND, overrides=(_override(each),)))
    shop.current.ledger = ledger(HEAD)
    sizes: list[int] = []
    asked = threading.Event()

    def look(conn: Connection) -> None:
        bodies = conn.execute(select(verdicts.c.body)).scalars()
        sizes.append(sum(b"build-behind" in body for body in bodies))

    def between(conn: Connection) -> None:
        look(conn)
        if not asked.is_set():
            shop.writer.run(between)

    def slow_clock() -> int:
        turn = Slice()
        while threading.current_thread().name == "writer" and turn.lasts():
            pass
        return shop.now

    shop.writer.run(between)
    assert judge_again(shop.engine, shop.writer, shop.current, slow_clock, only_due=False) == number
    asked.set()
    assert {0, rejudge.WRITE_MAX} <= set(sizes)


def _override(number: int) -> Override:
    return Override("setting", f"k{number}", "user", "behaviour")


def test_a_ledger_swapped_meanwhile_is_the_one_that_counts(shop: Shop) -> None:
    """What was judged by the old one is judged again, not written."""
    shop.enrol("anna").tell(OTHER)
    shop.current.ledger = Ledger()
    begun, end = threading.Event(), threading.Event()

    def swap(_: Connection) -> None:
        begun.set()
        end.wait()
        shop.current.ledger = ledger(BEHIND)

    shop.writer.run(swap)
    begun.wait()
    thread = threading.Thread(
        target=judge_again,
        args=(shop.engine, shop.writer, shop.current, shop.clock),
        kwargs={"only_due": False},
    )
    thread.start()
    while not shop.writer.waiting():
        thread.join(0.001)
    end.set()
    thread.join()
    assert shop.counted() == {"match": 1}
    assert [row[2] for row in fleet_rows(shop)] == ["match"]


def test_a_profile_that_cannot_be_judged_keeps_no_other_from_it(shop: Shop) -> None:
    """It is tried again in an hour; the others have their verdict now."""
    shop.current.ledger = ledger(BEHIND)
    shop.enrol("anna").tell(profile(HEAD))
    shop.enrol("ben").tell(OTHER)
    damage = update(profiles).where(profiles.c.id == 1).values(body=b"\0")
    shop.write(lambda conn: conn.execute(damage).close())
    shop.now += 7 * 3600
    shop.current.ledger = ledger(HEAD, read_at=shop.now)
    shop.judge_again()
    assert shop.rows("SELECT standing, next_change_at FROM verdicts ORDER BY profile_id") == [
        ("pending", shop.now + FAILED_AGAIN_S),
        ("pending", shop.now + DAY // 4),
    ]


def test_a_profile_that_cannot_be_judged_at_first_refuses_no_laptop(shop: Shop) -> None:
    """It is unknown, and says that the mistake is the server's; in an hour it is tried again."""
    shop.enrol("anna").tell(OTHER)
    damage = update(profiles).where(profiles.c.id == 1).values(body=b"\0")
    sound = shop.rows("SELECT body FROM profiles")[0][0]
    shop.write(lambda conn: conn.execute(damage).close())
    shop.secret = shop.write(lambda conn: create_secret(conn, "pilots", shop.now))
    ben = shop.enrol("ben")
    ack = ben.send(ben.message(OTHER))
    assert (ack.state, ack.wanted) == ("unknown", ())
    stored = text("SELECT body FROM verdicts WHERE group_name = 'pilots'")
    body: bytes = shop.read(lambda conn: conn.execute(stored).scalar_one())
    assert [item.code for item in read_verdict(body).findings] == ["not-examined"]
    assert ben.send(ben.message(OTHER)).state == "unknown"
    mend = text("UPDATE profiles SET body = :body")
    shop.write(lambda conn: conn.execute(mend, {"body": sound}).close())
    shop.now += FAILED_AGAIN_S
    shop.judge_again(only_due=True)
    assert ben.send(ben.message(OTHER)).state == "pending"
    assert shop.counted() == {"pending": 1}


def test_policies_swapped_meanwhile_are_those_that_count(shop: Shop) -> None:
    """What was judged by the old ones is judged again, not written."""
    shop.enrol("anna").tell(OTHER)
    shop.current.policies = Policies(GroupPolicy(grace_s=0))
    begun, end = threading.Event(), threading.Event()

    def swap(_: Connection) -> None:
        begun.set()
        end.wait()
        shop.current.policies = Policies(GroupPolicy(channel="stable"))

    shop.writer.run(swap)
    begun.wait()
    thread = threading.Thread(target=shop.judge_again)
    thread.start()
    while not shop.writer.waiting():
        thread.join(0.001)
    end.set()
    thread.join()
    assert [row[2] for row in fleet_rows(shop)] == ["unknown"]


def test_only_exceptions_are_looked_at_by_themselves(shop: Shop) -> None:
    """A release rings their timers, those of the silent included, and no others."""
    shop.current.ledger = ledger(BEHIND)
    names = ("follows", "silent", "left")
    laptops = {name: shop.enrol(name) for name in names}
    for laptop in laptops.values():
        laptop.tell(OTHER)
    shop.now += 2 * DAY
    laptops["follows"].send(laptops["follows"].message(OTHER))
    shop.write(lambda conn: fleet.leave(conn, laptops["left"].id, shop.now))
    shop.now += DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    shop.current.ledger = ledger(HEAD, shop.now, shop.now)
    shop.judge_again()
    due = "SELECT label FROM machines WHERE due_at <= "
    assert shop.rows(f"{due}{shop.now}") == [("silent",)]
    assert shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10)) == 1
    assert [each.code for each in laptops["silent"].view().findings] == ["build-behind"]


def in_groups(shop: Shop, number: int, next_change_at: int) -> None:
    """The one verdict that there is holds in so many other groups too."""
    (row,) = shop.read(lambda conn: conn.execute(select(verdicts)).mappings().all())
    others = {"machines": 0, "next_change_at": next_change_at}
    rows = [{**row, "id": 9 + each, "group_name": f"g{each}", **others} for each in range(number)]
    shop.write(lambda conn: conn.execute(insert(verdicts), rows).close())


def test_all_that_waits_to_be_written_is_judged_once_more(shop: Shop) -> None:
    """Several pages were judged by a ledger that holds no longer: nothing of them is written."""
    shop.enrol("anna").tell(OTHER)
    in_groups(shop, 3 * rejudge.READ_MAX, NOW + 9 * DAY)
    shop.current.ledger = Ledger()
    end = threading.Event()

    def swap(_: Connection) -> None:
        end.wait()
        shop.current.ledger = ledger(BEHIND)

    shop.writer.run(swap)
    thread = threading.Thread(target=shop.judge_again)
    thread.start()
    while not shop.writer.waiting():
        thread.join(0.001)
    end.set()
    thread.join()
    assert shop.rows("SELECT DISTINCT standing FROM verdicts") == [("match",)]
    after = "SELECT DISTINCT after FROM transitions WHERE kind = 'fleet'"
    assert shop.rows(after) == [("match",)]


def plan_of_due(shop: Shop) -> str:
    """How the database finds the verdicts that are due, by its own account."""
    asked: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:
        asked.append(told[2:4])

    event.listen(shop.engine, "before_cursor_execute", note)
    shop.judge_again(only_due=True)
    event.remove(shop.engine, "before_cursor_execute", note)
    statement, values = next(each for each in asked if "ORDER BY verdicts.next" in each[0])
    how = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[shop.engine.dialect.name]
    with shop.engine.connect() as conn:
        return str(conn.exec_driver_sql(how + statement, values).all())


def test_due_verdicts_are_found_by_their_times(shop: Shop) -> None:
    """Asked every few seconds: no other verdict is read for them, and none is sorted."""
    shop.enrol("anna").tell(OTHER)
    in_groups(shop, 2_000, NOW + 9 * DAY)
    shop.write(lambda conn: conn.exec_driver_sql("ANALYZE verdicts").close())
    plan = plan_of_due(shop)
    assert "ix_verdicts_next_change_at" in plan
    assert not [
        word
        for word in ("Seq Scan on verdicts", "SCAN verdicts", "Sort", "TEMP B-TREE")
        if word in plan
    ]
