"""What befalls machines: time, waivers, groups, leaving; and what people hear of it."""

import msgspec

from agent.wire import Build, CheckIn, Profile
from server.policy import GroupPolicy, Policies
from server.store import fleet, references, rings, waivers
from server.store.verdicts import FAILED_AGAIN_S
from server.waivers import Waiver
from tests.server.shop import BEHIND, DAY, HEAD, Laptop, Shop, digest_of, ledger, profile

MINE = profile(HEAD)
OTHER = profile(BEHIND)


def silence(shop: Shop, limit: int = 100) -> int:
    """Looks at what is due."""
    return shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, limit))


def heard(shop: Shop) -> list[object]:
    """What people will be told, in order, whoever it is about."""
    return [row[0] for row in shop.rows("SELECT told FROM outbox ORDER BY id")]


def test_a_machine_falls_silent_when_it_says_nothing_for_long(shop: Shop) -> None:
    """Exactly at the end of the time that its policy gives it."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.now += 3 * DAY - 1
    assert silence(shop) == 0
    shop.now += 1
    assert silence(shop) == 1
    assert laptop.view().standing == "silent"
    assert laptop.view().since == shop.now
    assert shop.counted() == {"silent": 1}
    assert silence(shop) == 0


def test_a_timer_that_rings_for_a_machine_that_spoke_is_set_anew(shop: Shop) -> None:
    """It is lazy: a check-in does not move it, the next look does."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.now += DAY
    laptop.send(laptop.message(MINE))
    shop.now += 2 * DAY
    assert silence(shop) == 1
    assert shop.counted() == {"match": 1}
    assert shop.rows("SELECT due_at FROM machines") == [(shop.now + DAY,)]
    assert laptop.send(laptop.message(MINE)).state == "match"


def test_silence_is_looked_at_in_slices(shop: Shop) -> None:
    """So that a whole fleet that falls silent does not hold the writer."""
    for number in range(5):
        shop.enrol(f"laptop-{number}").tell(MINE)
    shop.now += 3 * DAY
    assert [silence(shop, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert shop.counted() == {"silent": 5}


def test_a_silent_machine_is_not_counted_with_its_verdict(shop: Shop) -> None:
    """When the verdict changes, it does not; its standing stays silent."""
    first, second = shop.enrol("anna"), shop.enrol("ben")
    first.tell(MINE)
    second.tell(MINE)
    shop.now += 2 * DAY
    second.send(second.message(MINE))
    shop.now += DAY
    silence(shop)
    shop.current.ledger = ledger(BEHIND, shop.now, shop.now)
    shop.judge_again()
    assert shop.counted() == {"silent": 1, "pending": 1}
    assert shop.rows("SELECT machines FROM transitions WHERE kind = 'fleet'") == [(1,)]


def test_who_matched_before_its_silence_and_drifts_after_it_is_told(shop: Shop) -> None:
    """The verdict changed while nobody with it was heard of: it is news for this machine."""
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    shop.current.ledger = ledger(HEAD, read_at=shop.now + 3 * DAY)
    shop.now += 3 * DAY
    silence(shop)
    shop.judge_again()
    assert heard(shop) == []
    laptop.send(laptop.message(OTHER))
    assert heard(shop) == ["drifted"]


def test_who_drifted_before_its_silence_is_not_told_again(shop: Shop) -> None:
    """Silence ends nothing; only when it matches again, that is told."""
    laptop = shop.enrol("anna")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    laptop.tell(altered)
    shop.enrol("ben").tell(MINE)
    assert heard(shop) == ["drifted"]
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE outbox SET delivered_at = 1").close())
    shop.current.ledger = ledger(read_at=shop.now + 9 * DAY)
    shop.now += 3 * DAY
    silence(shop)
    laptop.send(laptop.message(altered))
    assert heard(shop) == ["drifted"]
    shop.now += 3 * DAY
    silence(shop)
    laptop.send(laptop.message(MINE))
    assert heard(shop) == ["drifted", "healed"]


def test_a_machine_that_leaves_is_counted_apart(shop: Shop) -> None:
    """Once; its history stays."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    assert shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    assert not shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    assert shop.counted() == {"left": 1}
    shop.now += 9 * DAY
    assert silence(shop) == 0
    assert shop.rows("SELECT count(*) FROM assignments") == [(1,)]


def test_a_forgotten_machine_leaves_no_row(shop: Shop) -> None:
    """In no table, by id, label or token; what others share with it stays."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    laptop.tell(MINE)
    other.tell(MINE)
    laptop.send(laptop.message("sha256:" + "9" * 64))
    permit(shop, laptop, "build-behind", DAY)
    shop.write(lambda conn: references.add(conn, "default", laptop.id, shop.now))
    assert shop.write(lambda conn: fleet.forget(conn, laptop.id, shop.now))
    assert not shop.write(lambda conn: fleet.forget(conn, laptop.id, shop.now))
    assert shop.counted() == {"match": 1}
    for table in (
        "machines",
        "presence",
        "wanted",
        "assignments",
        "transitions",
        "profiles",
        "stands",
        "waivers",
        "reference_machines",
        "outbox",
    ):
        rows = shop.rows(f"SELECT * FROM {table}")  # noqa: S608 - our own names
        assert laptop.id not in str(rows), table
        assert "anna" not in str(rows), table
    assert other.view().standing == "match"


def paused(laptop: Laptop, told: Profile, paused_s: int) -> CheckIn:
    """A check-in of a laptop whose user asks to be left alone."""
    return msgspec.structs.replace(laptop.message(told), paused_s=paused_s)


def told_bodies(shop: Shop) -> list[tuple[str, int | None]]:
    """The words that people will hear, each with how long the machine was away."""
    rows = shop.rows("SELECT body FROM outbox ORDER BY id")
    found = [msgspec.json.decode(str(row[0])) for row in rows]
    return [(each["told"], each.get("away_s")) for each in found]


def deliver(shop: Shop) -> None:
    """Everything that waits is told."""
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE outbox SET delivered_at = 1").close())


def test_who_comes_back_is_told_with_how_long_it_was_away(shop: Shop) -> None:
    """In the transition and in the message: since it was last heard of."""
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    shop.current.ledger = ledger(HEAD, read_at=shop.now + 5 * DAY)
    shop.now += 5 * DAY
    silence(shop)
    shop.judge_again()
    laptop.send(laptop.message(OTHER))
    assert told_bodies(shop) == [("drifted", 5 * DAY)]
    away = "SELECT before, after, away_s FROM transitions WHERE kind = 'machine' ORDER BY id"
    assert shop.rows(away) == [
        (None, "pending", None),
        ("pending", "silent", None),
        ("silent", "drift", 5 * DAY),
    ]


def test_a_pause_ends_nothing_and_hides_nothing(shop: Shop) -> None:
    """Who drifted before it is not told again; who drifts after it is, with how long it took."""
    anna, ben = shop.enrol("anna"), shop.enrol("ben")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    anna.tell(altered)
    ben.tell(OTHER)
    deliver(shop)
    anna.send(paused(anna, altered, 2 * DAY))
    ben.send(paused(ben, OTHER, 2 * DAY))
    shop.current.ledger = ledger(HEAD, read_at=shop.now + 2 * DAY)
    shop.now += 2 * DAY
    shop.judge_again()
    assert shop.counted() == {"paused": 2}
    silence(shop)
    assert shop.counted() == {"drift": 2}
    assert told_bodies(shop) == [("drifted", None), ("drifted", 2 * DAY)]


def test_from_a_pause_into_silence_a_machine_stays_away(shop: Shop) -> None:
    """Compared is how it stood before both."""
    laptop = shop.enrol("anna")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    laptop.tell(altered)
    shop.enrol("ben").tell(MINE)
    deliver(shop)
    laptop.send(paused(laptop, altered, DAY))
    shop.now += 9 * DAY
    silence(shop)
    assert shop.counted() == {"silent": 2}
    laptop.send(paused(laptop, altered, DAY))
    assert shop.counted() == {"silent": 1, "paused": 1}
    shop.current.ledger = ledger(read_at=shop.now)
    laptop.tell(MINE)
    assert [told for told, _ in told_bodies(shop)] == ["drifted", "healed"]


def permit(shop: Shop, laptop: Laptop, code: str, lasts_s: int) -> str:
    """Gives a waiver, as a command beside the server does, and lets the job see it."""
    until = shop.now + lasts_s
    waiver = Waiver(f"{len(code):08x}", code, None, "a trial", "ada", shop.now, until)
    shop.write(lambda conn: waivers.give(conn, laptop.id, waiver))
    silence(shop)
    return waiver.id


def test_a_waived_machine_is_exempt_until_exactly_its_end(shop: Shop) -> None:
    """It is never renewed; its end is told as a drift, and why."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    first = laptop.tell(altered)
    other.tell(altered)
    deliver(shop)
    permit(shop, laptop, "build-altered", DAY)
    ack = laptop.send(laptop.message(altered))
    view = laptop.view()
    (finding,) = view.findings
    assert (ack.state, view.standing, ack.tag) == ("exempt", "exempt", view.tag)
    assert ack.tag != first.tag
    assert (finding.severity, finding.waived_until) == ("exempt", shop.now + DAY)
    assert [(each.code, each.until) for each in view.waivers] == [("build-altered", shop.now + DAY)]
    assert shop.counted() == {"exempt": 1, "drift": 1}
    deliver(shop)
    shop.current.ledger = ledger(read_at=shop.now + DAY)
    shop.now += DAY - 1
    assert silence(shop) == 0
    shop.now += 1
    assert silence(shop) == 1
    assert shop.counted() == {"drift": 2}
    assert laptop.view().tag == first.tag
    assert laptop.view().waivers == ()
    told = [msgspec.json.decode(str(row[0])) for row in shop.rows("SELECT body FROM outbox")]
    assert [each["told"] for each in told] == ["drifted", "drifted", "healed", "drifted"]
    assert told[-1]["waiver_ended"]


def test_a_waiver_that_is_taken_back_ends_at_once(shop: Shop) -> None:
    """Also for a machine that was told to drift before it: people hear of it again."""
    laptop = shop.enrol("anna")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    laptop.tell(altered)
    deliver(shop)
    name = permit(shop, laptop, "build-altered", DAY)
    deliver(shop)
    shop.now += 60
    shop.write(lambda conn: waivers.take_back(conn, name, "ada", shop.now))
    silence(shop)
    assert laptop.view().standing == "drift"
    assert [told for told, _ in told_bodies(shop)] == ["drifted", "healed", "drifted"]


def test_a_waiver_that_covers_nothing_changes_nothing_that_is_told(shop: Shop) -> None:
    """The machine stands as its verdict does, also through the verdict's next change."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    permit(shop, laptop, "build-altered", 9 * DAY)
    assert laptop.view().standing == "match"
    assert shop.rows("SELECT exception FROM machines") == [("match",)]
    shop.current.ledger = ledger(BEHIND, shop.now, shop.now)
    shop.judge_again()
    assert silence(shop) == 1
    assert laptop.view().standing == "pending"
    assert shop.counted() == {"pending": 1}
    moves = shop.rows("SELECT kind, before, after, machines FROM transitions ORDER BY id")
    assert moves == [
        ("machine", None, "match", 1),
        ("machine", "match", "pending", 1),
    ]


def test_an_outage_is_told_to_no_exception_either(shop: Shop) -> None:
    """Drift, a day without a reading, drift: told once, as for who follows its verdict."""
    laptop = shop.enrol("anna")
    shop.current.ledger = ledger(read_at=shop.now + DAY)
    laptop.tell(OTHER)
    permit(shop, laptop, "config-overridden", 9 * DAY)
    for passed in (DAY, DAY):
        shop.now += passed
        shop.judge_again(only_due=True)
        silence(shop)
        laptop.send(laptop.message(OTHER))
    assert shop.counted() == {"unknown": 1}
    shop.current.ledger = ledger(read_at=shop.now)
    shop.judge_again()
    silence(shop)
    assert shop.counted() == {"drift": 1}
    assert [told for told, _ in told_bodies(shop)] == ["drifted"]


def test_who_was_healed_by_a_waiver_is_told_when_it_drifts_again(shop: Shop) -> None:
    """Also across an outage: what was told of its verdict is the others' story."""
    laptop = shop.enrol("anna")
    shop.current.ledger = ledger(read_at=shop.now + DAY)
    laptop.tell(OTHER)
    shop.now += DAY
    shop.judge_again(only_due=True)
    silence(shop)
    permit(shop, laptop, "build-behind", DAY)
    deliver(shop)
    shop.now += DAY
    shop.judge_again(only_due=True)
    silence(shop)
    assert shop.counted() == {"unknown": 1}
    shop.current.ledger = ledger(read_at=shop.now)
    shop.judge_again()
    silence(shop)
    assert shop.counted() == {"drift": 1}
    assert [told for told, _ in told_bodies(shop)] == ["drifted", "healed", "drifted"]


def test_a_newly_enrolled_machine_has_time_to_mend(shop: Shop) -> None:
    """Exactly as long as its policy says, from its enrolment on; then its drift is told."""
    shop.current.policies = Policies(GroupPolicy(enrolled_grace_s=DAY))
    laptop = shop.enrol("anna")
    assert shop.rows("SELECT exception, due_at FROM machines") == [("unknown", shop.now + DAY)]
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    assert laptop.tell(altered).state == "pending"
    assert shop.counted() == {"pending": 1}
    enrolled_at, shop.current.ledger = shop.now, ledger(read_at=shop.now + DAY)
    shop.now += DAY - 1
    assert silence(shop) == 0
    shop.now += 1
    assert silence(shop) == 1
    assert shop.counted() == {"drift": 1}
    assert told_bodies(shop) == [("drifted", None)]
    assert laptop.view().findings[0].since == enrolled_at


def test_a_shorter_silence_holds_as_soon_as_it_is_loaded(shop: Shop) -> None:
    """Timers of all machines ring, or of some groups' only; who left is left alone."""
    laptop, gone = shop.enrol("anna"), shop.enrol("ben")
    laptop.tell(MINE)
    shop.write(lambda conn: fleet.leave(conn, gone.id, shop.now))
    shop.now += 2 * DAY
    shop.current.policies = Policies(GroupPolicy(silent_after_s=DAY))
    shop.write(lambda conn: rings.ask(conn, ["pilots"]))
    shop.ring()
    assert silence(shop) == 0
    shop.write(rings.ask)
    shop.ring()
    assert silence(shop) == 1
    assert shop.counted() == {"silent": 1, "left": 1}


def test_a_machine_that_changes_its_group_is_judged_there(shop: Shop) -> None:
    """Counted in one group only; its timeline says when; what came with it began then."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    laptop.tell(MINE)
    other.tell(MINE)
    shop.current.policies = Policies(groups={"stables": GroupPolicy(channel="stable")})
    shop.now += 60
    assert regroup(shop, laptop, "stables")
    assert regroup(shop, laptop, "stables")
    assert not regroup(shop, Laptop(shop, "carl", "0" * 16, ""), "stables")
    view = laptop.view()
    assert (view.group, view.channel, view.standing) == ("stables", "stable", "unknown")
    assert view.findings[0].since == shop.now
    assert shop.counted() == {"match": 1, "unknown": 1}
    assert shop.rows("SELECT group_name, machines FROM counts WHERE machines > 0") == [
        ("default", 1),
        ("stables", 1),
    ]
    moved = "SELECT number, at, told_at, group_name FROM assignments WHERE machine_id = "
    assert shop.rows(f"{moved}'{laptop.id}' ORDER BY number") == [
        (0, shop.now - 60, shop.now - 60, "default"),
        (1, shop.now, shop.now, "stables"),
    ]
    assert shop.rows("SELECT cause, group_name FROM transitions ORDER BY id DESC LIMIT 1") == [
        ("group-moved", "stables")
    ]
    assert laptop.send(laptop.message(OTHER)).wanted
    assert not shop.write(lambda conn: fleet.leave(conn, "nobody", shop.now))


def regroup(shop: Shop, laptop: Laptop, group: str) -> bool:
    """Puts a machine into a group."""
    return shop.write(
        lambda conn: fleet.move_to_group(conn, shop.current, laptop.id, group, shop.now)
    )


def test_a_profile_that_comes_after_a_change_of_group_is_the_later_one(shop: Shop) -> None:
    """It was told before, and sent after it."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    laptop.send(laptop.message(OTHER))
    shop.now += 60
    assert regroup(shop, laptop, "pilots")
    laptop.upload(OTHER)
    assert laptop.view().profile == digest_of(OTHER)
    took = "SELECT p.digest, a.group_name FROM assignments a JOIN profiles p ON p.id = profile_id"
    assert shop.rows(f"{took} ORDER BY number") == [
        (digest_of(MINE), "default"),
        (digest_of(MINE), "pilots"),
        (digest_of(OTHER), "pilots"),
    ]
    assert laptop.tell(profile(HEAD, BEHIND)).state == "pending"
    assert len(shop.rows("SELECT number FROM assignments")) == 4


def test_a_machine_without_a_profile_changes_its_group_too(shop: Shop) -> None:
    """There is nothing to judge: it is counted elsewhere, and nobody is told."""
    laptop = shop.enrol("anna")
    assert regroup(shop, laptop, "pilots")
    assert shop.rows("SELECT group_name, standing FROM counts WHERE machines > 0") == [
        ("pilots", "unknown")
    ]
    assert told_bodies(shop) == []
    assert laptop.tell(MINE).state == "match"


def test_a_machine_that_cannot_be_stood_keeps_no_other_from_it(shop: Shop) -> None:
    """It is tried again in an hour; the others stand as they should."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    laptop.tell(MINE)
    other.tell(MINE)
    damage = f"UPDATE machines SET alternations = 'x', due_at = 1 WHERE id = '{laptop.id}'"  # noqa: S608 - our own id
    shop.write(lambda conn: conn.exec_driver_sql(damage).close())
    shop.now += 3 * DAY
    assert silence(shop) == 2
    assert shop.counted() == {"match": 1, "silent": 1}
    assert shop.rows("SELECT due_at FROM machines WHERE due_at IS NOT NULL") == [
        (shop.now + FAILED_AGAIN_S,)
    ]


def test_what_an_exception_was_told_is_kept(shop: Shop) -> None:
    """A row for each change of what holds, and one when it follows its verdict again."""
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    began = shop.now
    permit(shop, laptop, "build-behind", DAY)
    shop.now += DAY
    shop.current.ledger = ledger(read_at=shop.now)
    silence(shop)
    silence(shop)
    rows = shop.rows("SELECT at, exception, body IS NULL FROM stands ORDER BY id")
    assert rows == [(began, "exempt", 0), (shop.now, None, 1)]
