"""A machine's history, joined from what is stored once for all."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import Standing
from server.store import fleet
from server.store.timeline import ENTRIES_MAX, Entry, Own, timeline, told
from server.views.machines import TIMELINE_MAX
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Shop, ledger, profile

_standings: st.SearchStrategy[Standing] = st.sampled_from(["match", "drift", "unknown"])
_said = st.builds(
    Entry, st.integers(0, 9).map(lambda n: 2 * n), st.sampled_from(["profile"]), _standings
)
_exceptions: st.SearchStrategy[Standing | None] = st.sampled_from(["silent", "exempt", None])
_own = st.builds(Own, st.integers(0, 9).map(lambda n: 2 * n + 1), _exceptions)


@given(
    said=st.lists(_said, max_size=6, unique_by=lambda each: each.at),
    own=st.lists(_own, max_size=6, unique_by=lambda each: each.at),
)
def test_what_is_true_of_one_machine_is_told_where_it_changed_how_it_stood(
    said: list[Entry], own: list[Own]
) -> None:
    """All that was said of its profiles, and its own changes, each in its place."""

    def stood(at: int) -> Standing:
        verdicts = [(each.at, each.standing) for each in said if each.at <= at]
        exceptions = [(each.at, each.exception) for each in own if each.at <= at]
        latest = max(exceptions, default=(0, None), key=lambda each: each[0])[1]
        return latest or max(verdicts, default=(0, "unknown"))[1]

    entries = list(told(said, own))
    assert [each.at for each in entries] == sorted(each.at for each in entries)
    assert {each.at for each in entries if each.kind == "profile"} == {each.at for each in said}
    changed = [each.at for each in own if stood(each.at - 1) != stood(each.at)]
    assert [(each.at, each.standing) for each in entries if each.kind == "standing"] == [
        (at, stood(at)) for at in sorted(changed)
    ]


def test_a_machine_that_was_told_otherwise_took_its_profile_as_it_was_told() -> None:
    """What others were told of the same profile is no part of it, then or later."""
    said = [
        Entry(10, "profile", "drift", "a"),
        Entry(20, "verdict", "unknown", "a"),
        Entry(40, "verdict", "match", "a"),
    ]
    own = [Own(10, "pending"), Own(30, None)]
    entries = [(each.at, each.kind, each.standing) for each in told(said, own)]
    assert entries == [
        (10, "profile", "pending"),
        (30, "standing", "unknown"),
        (40, "verdict", "match"),
    ]


def test_a_timeline_tells_profiles_verdicts_and_silence(shop: Shop) -> None:
    """In the order in which they happened, each with the standing from then on."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.now += 100
    laptop.tell(profile(BEHIND))
    shop.now = NOW + 2 * DAY
    shop.current.ledger = ledger(read_at=shop.now)
    shop.judge_again()
    shop.now += 3 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    shop.now += 50
    shop.current.ledger = ledger(read_at=shop.now)
    shop.judge_again()
    laptop.tell(profile(BEHIND))
    entries = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [(entry.at - NOW, entry.kind, entry.standing) for entry in entries] == [
        (0, "profile", "match"),
        (100, "profile", "pending"),
        (2 * DAY, "verdict", "drift"),
        (5 * DAY, "standing", "silent"),
        (5 * DAY + 50, "standing", "drift"),
    ]
    assert [item.code for item in entries[2].findings] == ["build-behind"]
    assert [entry.away_s for entry in entries][3:] == [None, 5 * DAY - 50]


def test_a_group_move_and_a_pause_have_their_places(shop: Shop) -> None:
    """The profile stays, and is judged for the other group from then on."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.now += 100
    shop.write(lambda conn: fleet.move_to_group(conn, shop.current, laptop.id, "pilots", shop.now))
    shop.now += 100
    laptop.send(msgspec.structs.replace(laptop.message(profile(HEAD)), paused_s=60))
    shop.now += 60
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    entries = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [(each.at - NOW, each.kind, each.standing, each.group) for each in entries] == [
        (0, "profile", "match", "default"),
        (100, "group", "match", "pilots"),
        (200, "standing", "paused", None),
        (260, "standing", "match", None),
    ]
    assert entries[-1].away_s == 60


def test_a_profile_that_was_judged_for_years_is_read_from_its_end(shop: Shop) -> None:
    """What is read is bounded, and holds all that is shown; the profile itself is told."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(BEHIND))
    for number in range(ENTRIES_MAX + 20):
        shop.now += 60
        shop.current.ledger = ledger((HEAD, BEHIND)[number % 2], shop.now, shop.now)
        shop.judge_again()
    entries = shop.read(lambda conn: timeline(conn, laptop.id))
    assert len(entries) == ENTRIES_MAX + 1
    assert (entries[0].kind, entries[-1].at) == ("profile", shop.now)
    assert ENTRIES_MAX >= TIMELINE_MAX


def test_a_machine_without_a_profile_has_an_empty_timeline(shop: Shop) -> None:
    """It is there, and nothing has happened."""
    laptop = shop.enrol("anna")
    assert shop.read(lambda conn: timeline(conn, laptop.id)) == ()
