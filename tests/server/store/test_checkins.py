"""What one check-in does, each way of the protocol by itself."""

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import Ack, Build, Change, CheckIn
from server.errors import RequestRefused
from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from server.standing import READ_AGAIN_S
from server.store import fleet, public
from server.store.acks import HURRY_S
from server.store.checkins import ALTERNATIONS_MAX, PAST_EPOCHS_MAX, key_of
from server.store.steps import UNSENT_S
from server.store.timeline import timeline
from tests.server.databases import written
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Laptop, Shop, digest_of, ledger, profile

MINE = profile(HEAD)
OTHER = profile(BEHIND)


def row_of(shop: Shop, laptop: Laptop) -> list[tuple[object, ...]]:
    """Everything stored of one machine."""
    return [
        *shop.rows(f"SELECT * FROM machines WHERE id = '{laptop.id}'"),  # noqa: S608 - our own id
        *shop.rows(f"SELECT * FROM presence WHERE machine_id = '{laptop.id}'"),  # noqa: S608
    ]


def test_an_unknown_profile_is_wanted_and_taken_when_it_comes(shop: Shop) -> None:
    """Until then the machine stands as before; with the upload it has the new verdict."""
    laptop = shop.enrol("anna")
    ack = laptop.send(laptop.message(MINE))
    assert (ack.state, ack.wanted) == ("unknown", (digest_of(MINE),))
    laptop.upload(MINE)
    assert laptop.view().standing == "match"
    ack = laptop.send(laptop.message(OTHER))
    assert (ack.state, ack.wanted) == ("match", (digest_of(OTHER),))
    laptop.upload(OTHER)
    assert laptop.view().standing == "pending"
    assert shop.counted() == {"pending": 1}


def test_a_profile_that_is_never_sent_makes_its_machine_unknown(shop: Shop) -> None:
    """After an hour the last known profile no longer speaks for it; the upload mends that."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    assert laptop.send(laptop.message(OTHER)).state == "match"
    shop.now += UNSENT_S - 1
    assert laptop.send(laptop.message(OTHER)).state == "match"
    shop.now += 1
    assert laptop.send(laptop.message(OTHER)).state == "unknown"
    assert [each.code for each in laptop.view().findings] == ["not-examined"]
    assert shop.counted() == {"unknown": 1}
    shop.now += 2 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert shop.counted() == {"unknown": 1}
    shop.current.ledger = ledger(read_at=shop.now)
    laptop.upload(OTHER)
    assert laptop.view().standing == "drift"
    assert shop.counted() == {"drift": 1}


def test_a_machine_that_goes_back_is_known_again(shop: Shop) -> None:
    """The profile that it has now is the one that the server has."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    laptop.send(laptop.message(OTHER))
    shop.now += UNSENT_S
    assert laptop.send(laptop.message(OTHER)).state == "unknown"
    assert laptop.send(laptop.message(MINE)).state == "match"


def test_a_profile_that_another_machine_sent_is_not_wanted_again(shop: Shop) -> None:
    """The bytes are known: the machine takes it with its check-in."""
    shop.enrol("anna").tell(MINE)
    second = shop.enrol("ben")
    ack = second.send(second.message(MINE))
    assert (ack.state, ack.wanted) == ("match", ())


def test_who_waited_for_another_machines_upload_takes_it_at_its_next_check_in(shop: Shop) -> None:
    """Two laptops name it, one sends it, both have it."""
    first, second = shop.enrol("anna"), shop.enrol("ben")
    first.send(first.message(MINE))
    assert second.send(second.message(MINE)).wanted
    first.upload(MINE)
    assert second.send(second.message(MINE)).state == "match"


def test_the_same_check_in_again_gets_the_same_answer_and_writes_nothing(shop: Shop) -> None:
    """Not even the time: the second one may come days later."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    for message in (laptop.message(MINE), laptop.message(OTHER)):
        first = laptop.send(message)
        before = (row_of(shop, laptop), shop.rows("SELECT count(*) FROM transitions"))
        shop.now += 5
        again = laptop.send(message)
        assert (again.state, again.tag, again.wanted) == (first.state, first.tag, first.wanted)
        assert (row_of(shop, laptop), shop.rows("SELECT count(*) FROM transitions")) == before


def test_a_repeated_check_in_leaves_the_database_as_it_was(shop: Shop) -> None:
    """Nothing is written at all."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    message = laptop.message(MINE)
    laptop.send(message)
    before = shop.write(written)
    laptop.send(message)
    assert shop.write(written) == before


def test_a_lower_seq_is_told_to_resync_and_changes_nothing(shop: Shop) -> None:
    """Its journal was set back: it has to draw a new epoch."""
    laptop = shop.enrol("anna")
    old = laptop.message(OTHER)
    laptop.tell(MINE)
    before = row_of(shop, laptop)
    ack = laptop.send(old)
    assert (ack.resync, ack.state, ack.wanted) == (True, "match", ())
    assert row_of(shop, laptop) == before


def test_a_new_epoch_is_accepted_and_a_past_one_is_not(shop: Shop) -> None:
    """A laptop that was set back says so once: it is noted with its time, and no more."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    mine, laptop.epoch, laptop.seq = laptop.epoch, "1" * 16, 0
    assert not laptop.send(laptop.message(MINE)).resync
    laptop.epoch, laptop.seq = mine, 99
    ack = laptop.send(laptop.message(OTHER))
    assert (ack.resync, ack.state, ack.wanted) == (True, "match", ())
    assert shop.rows("SELECT alternations, exception FROM machines") == [(str(NOW), None)]
    laptop.epoch, laptop.seq = "2" * 16, 0
    assert laptop.send(laptop.message(MINE)).state == "match"


def alternate(shop: Shop, *laptops: Laptop) -> None:
    """Laptops with one identity check in in turn; each draws a new epoch when it has to."""
    for laptop in laptops:
        shop.now += 600
        if laptop.send(laptop.message(MINE)).resync:
            laptop.epoch, laptop.seq = f"{shop.now:016x}", 0
            laptop.send(laptop.message(MINE))


def test_two_laptops_with_one_identity_are_told_apart_from_none(shop: Shop) -> None:
    """Their epochs alternate: what holds cannot be told, until it has ceased for a day."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    twin = dataclasses.replace(laptop)
    twin.epoch, twin.seq = "f" * 16, 0
    alternate(shop, twin, laptop, twin)
    view = laptop.view()
    assert (view.standing, [each.code for each in view.findings]) == (
        "unknown",
        ["cloned-identity"],
    )
    assert shop.counted() == {"unknown": 1}
    alternate(shop, *[laptop, twin] * 4)
    ((times,),) = shop.rows("SELECT alternations FROM machines")
    assert len(str(times).split()) == ALTERNATIONS_MAX
    last = shop.now
    shop.current.ledger = ledger(read_at=last + DAY)
    shop.now = last + DAY - 1
    assert twin.send(twin.message(MINE)).state == "unknown"
    shop.now += 1
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert twin.send(twin.message(MINE)).state == "match"


@pytest.mark.parametrize("differs", ["profile", "agent"])
def test_two_laptops_that_count_in_step_are_told_apart(shop: Shop, differs: str) -> None:
    """Other words under the same number are no resend: noted, and nothing of them is lost."""
    laptop = shop.enrol("anna")
    laptop.tell(OTHER)
    laptop.tell(MINE)
    twin = dataclasses.replace(laptop)
    laptop.send(laptop.message(MINE))
    if differs == "agent":
        twin.agent = "0.2.0"
    ack = twin.send(twin.message(OTHER if differs == "profile" else MINE))
    assert (ack.resync, ack.state) == (True, "match")
    assert shop.rows("SELECT alternations, exception FROM machines") == [(str(NOW), None)]
    twin.epoch, twin.seq = "f" * 16, 0
    assert twin.send(twin.message(OTHER)).state == "pending"
    assert laptop.send(laptop.message(MINE)).resync
    assert "cloned-identity" in [each.code for each in laptop.view().findings]
    assert shop.counted() == {"unknown": 1}


def pause(laptop: Laptop, paused_s: int) -> Ack:
    """Checks in as a laptop whose user asks to be left alone."""
    return laptop.send(msgspec.structs.replace(laptop.message(MINE), paused_s=paused_s))


def test_a_paused_machine_is_left_alone_until_its_pause_ends(shop: Shop) -> None:
    """Exactly then, by itself; meanwhile it is not silent however long that is."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    assert laptop.send(laptop.message(MINE)).state == "match"
    ack = pause(laptop, 7 * DAY)
    view = laptop.view()
    assert (ack.state, view.standing, view.paused_until) == ("paused", "paused", NOW + 7 * DAY)
    assert shop.counted() == {"paused": 1}
    shop.current.ledger = ledger(read_at=NOW + 7 * DAY)
    shop.now = NOW + 7 * DAY - 1
    assert shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10)) == 0
    shop.now += 1
    assert shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10)) == 1
    assert shop.counted() == {"match": 1}
    assert laptop.view().paused_until is None
    assert shop.rows("SELECT before, after, away_s FROM transitions ORDER BY id DESC LIMIT 1") == [
        ("paused", "match", 7 * DAY)
    ]


def test_a_check_in_without_a_pause_ends_it(shop: Shop) -> None:
    """With another one it begins anew; what stays the same is told as before."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    pause(laptop, 7200)
    shop.now += 3600
    assert pause(laptop, 7200).state == "paused"
    assert laptop.view().paused_until == shop.now + 7200
    assert laptop.send(laptop.message(MINE)).state == "match"
    assert shop.rows("SELECT paused_until, exception FROM machines") == [(None, None)]
    assert laptop.send(laptop.message(MINE)).state == "match"


def test_a_machine_that_updates_before_the_next_reading_is_not_ahead(shop: Shop) -> None:
    """Also where others had the build before: its head is read again first."""
    shop.enrol("anna").tell(NEWER)
    look_up(shop, "2.1.331", read_at=NOW + 60)
    assert shop.counted() == {"drift": 1}
    shop.now = NOW + 120
    laptop = shop.enrol("ben")
    ack = laptop.tell(NEWER)
    (finding,) = laptop.view().findings
    assert (ack.state, finding.code, finding.severity) == ("pending", "build-ahead", "pending")
    assert ack.next_s <= HURRY_S + HURRY_S // 2
    assert laptop.view().settling
    assert shop.rows("SELECT version FROM lookups WHERE asked_at > answered_at") == [("2.1.331",)]
    look_up(shop, "2.1.331", read_at=NOW + 125)
    shop.now = NOW + 120 + READ_AGAIN_S
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert laptop.view().standing == "drift"
    assert shop.counted() == {"drift": 2}


def test_a_head_that_moved_while_it_was_read_again_is_a_match(shop: Shop) -> None:
    """Who updated meanwhile was told nothing else."""
    shop.enrol("anna").tell(NEWER)
    look_up(shop, "2.1.331", read_at=NOW + 60)
    shop.now = NOW + 120
    laptop = shop.enrol("ben")
    laptop.tell(NEWER)
    shop.current.ledger = newer_ledger(
        Reading("npm", "latest", "2.1.330", NOW - 3600, NOW + 60),
        Reading("npm", "latest", "2.1.331", NOW + 125, NOW + 125),
    )
    shop.now = NOW + 126
    shop.judge_again()
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert laptop.view().standing == "match"
    assert shop.counted() == {"match": 2}


def test_a_head_that_moved_is_not_held_against_it_before_all_is_judged_by_it(shop: Shop) -> None:
    """A look between the reading and the judging takes the old verdict for what it is."""
    shop.enrol("anna").tell(NEWER)
    look_up(shop, "2.1.331", read_at=NOW + 60)
    shop.now = NOW + 120
    laptop = shop.enrol("ben")
    laptop.tell(NEWER)
    lookups = shop.read(lambda conn: tuple(public.load_ledger(conn).lookups()))
    shop.current.ledger = newer_ledger(
        Reading("npm", "latest", "2.1.330", NOW - 3600, NOW + 60),
        Reading("npm", "latest", "2.1.331", NOW + 125, NOW + 125),
        lookups=lookups,
    )
    shop.now = NOW + 120 + READ_AGAIN_S
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert laptop.view().standing == "pending"
    shop.judge_again()
    shop.now += READ_AGAIN_S
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert laptop.view().standing == "match"


NEWEST = Build("e" * 64, 381_121_050, "binary", "2.1.331", "linux-x64")
NEWER = profile(NEWEST)


def newer_ledger(*readings: Reading, lookups: tuple[Lookup, ...] = ()) -> Ledger:
    """A public build newer than the head, which is what the readings say."""
    artifacts = [Artifact("2.1.331", "linux-x64", "binary", NEWEST.sha256, 1, "registry", "npm")]
    return Ledger(readings, [Release("2.1.331", NOW)], artifacts, lookups)


def look_up(shop: Shop, version: str, read_at: int) -> None:
    """Reads the head again, unchanged, and answers the look-up of a version."""
    shop.now = read_at
    shop.write(lambda conn: public.answer(conn, version, "found", None, shop.now))
    lookups = shop.read(lambda conn: tuple(public.load_ledger(conn).lookups()))
    head = Reading("npm", "latest", "2.1.330", NOW - 3600, read_at)
    shop.current.ledger = newer_ledger(head, lookups=lookups)
    shop.judge_again()


def test_only_a_few_past_epochs_are_remembered(shop: Shop) -> None:
    """The row stays small however often a laptop is set up anew."""
    laptop = shop.enrol("anna")
    for number in range(2 * PAST_EPOCHS_MAX):
        laptop.epoch, laptop.seq = f"{number:016x}", 0
        assert not laptop.send(laptop.message(MINE)).resync
    (past,) = shop.rows("SELECT past_epochs FROM machines")[0]
    assert str(past).split() == [f"{number:016x}" for number in range(3, 7)]


def test_changes_since_the_last_ack_become_the_timeline(shop: Shop) -> None:
    """In order, at the agent's times less the distance of its clock."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.enrol("ben").tell(OTHER)
    shop.now += 1000
    skewed = laptop.message(
        MINE, Change(digest_of(OTHER), NOW + 400 + 50), Change(digest_of(MINE), NOW + 600 + 50)
    )
    skewed = CheckIn(
        1, digest_of(OTHER), skewed.agent, skewed.epoch, skewed.seq, shop.now + 50, skewed.changes
    )
    assert laptop.send(skewed).state == "pending"
    told = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [(entry.at - NOW, entry.standing) for entry in told] == [
        (0, "match"),
        (400, "pending"),
        (600, "match"),
        (1000, "pending"),
    ]


def test_an_agents_clock_is_clamped_between_the_last_ack_and_now(shop: Shop) -> None:
    """A clock years ahead or behind writes no history that the server did not see."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.enrol("ben").tell(OTHER)
    shop.now += 100
    laptop.send(laptop.message(MINE, Change(digest_of(OTHER), 5)))
    shop.now += 100
    laptop.send(laptop.message(MINE, Change(digest_of(OTHER), 2**40)))
    told = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [entry.at - NOW for entry in told] == [0, 1, 100, 200, 200]


def test_an_earlier_unknown_profile_takes_its_place_when_it_comes(shop: Shop) -> None:
    """It was told between two others, and stands there in the end."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.now += 100
    third = profile(HEAD, BEHIND)
    shop.enrol("ben").tell(OTHER)
    ack = laptop.send(laptop.message(OTHER, Change(digest_of(third), NOW + 40)))
    assert ack.wanted == (digest_of(third),)
    assert ack.state == "pending"
    laptop.upload(third)
    assert laptop.view().profile == digest_of(OTHER)
    told = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [entry.profile for entry in told] == [digest_of(x) for x in (MINE, third, OTHER)]


def test_what_never_comes_is_not_in_the_timeline(shop: Shop) -> None:
    """After a day it is not asked for any more; the present profile always is."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    lost = Change("sha256:" + "9" * 64, NOW)
    assert laptop.send(laptop.message(OTHER, lost)).wanted == (digest_of(OTHER), lost.profile)
    shop.now += DAY
    assert laptop.send(laptop.message(OTHER)).wanted == (digest_of(OTHER),)


def test_at_most_sixteen_profiles_are_wanted_the_present_one_first(shop: Shop) -> None:
    """The newest of the earlier ones follow."""
    laptop = shop.enrol("anna")
    changes = [Change(f"sha256:{number:064x}", NOW) for number in range(40)]
    wanted = laptop.send(laptop.message(MINE, *changes)).wanted
    newest = [f"sha256:{number:064x}" for number in range(39, 24, -1)]
    assert list(wanted) == [digest_of(MINE), *newest]


def test_a_finding_keeps_its_date_from_profile_to_profile(shop: Shop) -> None:
    """It began for the machine with the first profile that had it."""
    laptop = shop.enrol("anna")
    altered = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"))
    more = profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64"), BEHIND)
    laptop.tell(altered)
    shop.now += 500
    laptop.tell(more)
    dates = {item.code: item.since for item in laptop.view().findings}
    assert dates["build-altered"] == NOW
    assert laptop.view().since == NOW


def test_a_silent_machine_that_speaks_stands_by_its_verdict_again(shop: Shop) -> None:
    """With the counts right, and a transition each way."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    shop.now += 3 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert shop.counted() == {"silent": 1}
    assert laptop.send(laptop.message(MINE)).state == "match"
    assert shop.counted() == {"match": 1}
    moves = shop.rows("SELECT before, after FROM transitions ORDER BY id")
    assert moves == [(None, "match"), ("match", "silent"), ("silent", "match")]


@pytest.mark.parametrize("token", ["bpm_0123456789abcdef_" + "0" * 64, "nonsense", ""])
def test_a_token_of_nobody_is_refused(shop: Shop, token: str) -> None:
    """With 401, whether it has the form of a token or not."""
    laptop = shop.enrol("anna")
    laptop.token = token
    with pytest.raises(RequestRefused) as refused:
        laptop.send(laptop.message(MINE))
    assert refused.value.status == 401


def test_another_machines_token_does_not_open_a_machine(shop: Shop) -> None:
    """The id in a token counts for nothing without its secret part."""
    laptop, other = shop.enrol("anna"), shop.enrol("ben")
    laptop.tell(MINE)
    laptop.token = other.token.replace(other.id, laptop.id)
    with pytest.raises(RequestRefused) as refused:
        laptop.send(laptop.message(MINE))
    assert refused.value.status == 401


def test_a_revoked_machine_is_refused_at_once(shop: Shop) -> None:
    """Also on the short way that an unchanged check-in takes."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    laptop.send(laptop.message(MINE))
    shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    with pytest.raises(RequestRefused) as refused:
        laptop.send(laptop.message(MINE))
    assert refused.value.status == 401
    assert shop.counted() == {"left": 1}


def test_a_new_agent_version_is_noted(shop: Shop) -> None:
    """The short way is for check-ins that say nothing new."""
    laptop = shop.enrol("anna")
    laptop.tell(MINE)
    laptop.agent = "0.2.0"
    laptop.send(laptop.message(MINE))
    assert laptop.view().agent == "0.2.0"


@given(
    st.tuples(*[st.sampled_from(["t1", "t2"])] * 4), st.tuples(*[st.sampled_from(["t1", "t2"])] * 4)
)
def test_the_short_way_is_for_equal_facts_only(
    one: tuple[str, str, str, str], two: tuple[str, str, str, str]
) -> None:
    """Two check-ins have one key only if token, epoch, profile and agent are equal."""

    def key(token: str, epoch: str, name: str, agent: str) -> str:
        return key_of(token, CheckIn(1, name, agent, epoch, 1, 1))

    assert (key(*one) == key(*two)) == (one == two)


def test_a_build_of_staffs_own_number_is_no_lie_on_the_day_it_becomes_public(shop: Shop) -> None:
    """Who updates before the next reading has the public bytes: the sources are read first."""
    staff = profile(Build("f" * 64, 1, "binary", "2.1.331", "linux-x64"))
    shop.enrol("anna").tell(staff)
    shop.write(lambda conn: public.answer(conn, "2.1.331", "absent", None, shop.now))
    absent = shop.read(lambda conn: tuple(public.load_ledger(conn).lookups()))
    head = Reading("npm", "latest", "2.1.330", NOW - 3600, NOW)
    shop.current.ledger = Ledger([head], lookups=absent)
    shop.judge_again()
    assert shop.counted() == {"drift": 1}
    shop.now = NOW + 120
    laptop = shop.enrol("ben")
    assert laptop.tell(NEWER).state == "pending"
    (finding,) = laptop.view().findings
    assert (finding.code, finding.severity) == ("build-unpublished", "pending")
    assert "read again" in finding.sentence
