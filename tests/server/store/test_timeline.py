"""A machine's history, joined from what is stored once for all."""

from hypothesis import given
from hypothesis import strategies as st

from server.store import fleet
from server.store.timeline import Had, Said, join, timeline
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Shop, ledger, profile

ats = st.lists(st.integers(0, 50), min_size=1, max_size=6).map(sorted)


@given(
    had=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 3)), max_size=6).map(sorted),
    said=st.fixed_dictionaries(dict.fromkeys((1, 2, 3), ats)),
)
def test_every_profile_stands_with_what_was_said_while_it_was_had(
    had: list[tuple[int, int]], said: dict[int, list[int]]
) -> None:
    """One entry when it is taken; then what is said before the next one, and nothing else."""
    history = {key: [Said(at, "match", ()) for at in value] for key, value in said.items()}
    took = [Had(at, number, str(number)) for at, number in had]
    entries = list(join(took, history))
    assert [(e.at, e.profile) for e in entries if e.kind == "profile"] == [
        (each.at, each.digest) for each in took
    ]
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    for entry in entries:
        if entry.kind == "verdict":
            assert entry.at in said[int(str(entry.profile))]


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
    shop.write(lambda conn: fleet.fall_silent(conn, shop.current, shop.now, 10))
    shop.now += 50
    shop.current.ledger = ledger(read_at=shop.now)
    shop.judge_again()
    laptop.tell(profile(BEHIND))
    told = shop.read(lambda conn: timeline(conn, laptop.id))
    assert [(entry.at - NOW, entry.kind, entry.standing) for entry in told] == [
        (0, "profile", "match"),
        (100, "profile", "pending"),
        (2 * DAY, "verdict", "drift"),
        (5 * DAY, "standing", "silent"),
        (5 * DAY + 50, "standing", "drift"),
    ]
    assert [item.code for item in told[2].findings] == ["build-behind"]


def test_a_machine_without_a_profile_has_an_empty_timeline(shop: Shop) -> None:
    """It is there, and nothing has happened."""
    laptop = shop.enrol("anna")
    assert shop.read(lambda conn: timeline(conn, laptop.id)) == []
