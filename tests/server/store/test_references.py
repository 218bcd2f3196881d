"""Reference machines: added, removed, and what they show of what users run."""

import pytest

from agent.wire import Override, Profile
from server.errors import RequestRefused
from server.reference import Said
from server.releases.ledger import Artifact
from server.store import fleet, published, references
from server.store.references import REFERENCES_MAX, is_vouched, source_of
from tests.server.shop import DAY, HEAD, Laptop, Shop, profile

LOW = Override("setting", "effortLevel", "user", "behaviour", "low")
SAID: Said = ("setting", "effortLevel", "low")


@pytest.fixture
def laptop(shop: Shop) -> Laptop:
    """A laptop with one override."""
    laptop = shop.enrol("anna")
    laptop.tell(_profile(LOW))
    return laptop


def _profile(*overrides: Override) -> Profile:
    return profile(HEAD, overrides=overrides)


def _add(shop: Shop, laptop: Laptop, group: str = "default") -> bool:
    return shop.write(lambda conn: references.add(conn, group, laptop.id, shop.now))


def _remove(shop: Shop, laptop: Laptop, group: str = "default") -> bool:
    return shop.write(lambda conn: references.remove(conn, group, laptop.id, shop.now))


def test_what_a_reference_machine_has_is_what_users_have(shop: Shop, laptop: Laptop) -> None:
    """From its present profile, in the groups that it stands for, its own or another."""
    assert shop.read(references.load) == {}
    assert _add(shop, laptop, "pilots")
    loaded = shop.read(references.load)
    assert list(loaded) == ["pilots"]
    assert loaded["pilots"].all == {SAID}
    assert loaded["pilots"].machines == 1
    laptop.tell(_profile())
    assert shop.read(references.load)["pilots"].all == frozenset()


def test_a_machine_without_a_profile_shows_nothing(shop: Shop) -> None:
    """It is listed, and stands for nothing yet."""
    laptop = shop.enrol("anna")
    _add(shop, laptop)
    assert shop.read(references.load) == {}
    (listed,) = shop.read(references.listed)
    assert (listed.label, listed.profile) == ("anna", None)


def test_who_is_removed_stands_for_nothing(shop: Shop, laptop: Laptop) -> None:
    """Its row stays, with both moments."""
    _add(shop, laptop)
    assert laptop.view().is_reference
    assert not _add(shop, laptop)
    shop.now += DAY
    assert _remove(shop, laptop)
    assert not _remove(shop, laptop)
    assert not laptop.view().is_reference
    assert shop.read(references.load) == {}
    assert shop.rows("SELECT removed_at - added_at FROM reference_machines") == [(DAY,)]
    assert _add(shop, laptop)
    assert laptop.view().is_reference
    assert shop.rows("SELECT count(*) FROM reference_machines") == [(2,)]


def test_removed_and_added_within_a_second_it_was_never_away(shop: Shop, laptop: Laptop) -> None:
    """One row, which holds."""
    _add(shop, laptop)
    _remove(shop, laptop)
    assert _add(shop, laptop)
    assert laptop.view().is_reference
    assert shop.rows("SELECT count(*) FROM reference_machines") == [(1,)]


def test_who_left_stands_for_nothing(shop: Shop, laptop: Laptop) -> None:
    """Nobody has to remove it; and it cannot be added again."""
    _add(shop, laptop)
    shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    assert shop.read(references.listed) == ()
    assert shop.read(references.load) == {}
    with pytest.raises(RequestRefused) as refused:
        _add(shop, laptop, "pilots")
    assert refused.value.status == 409


def test_a_group_has_a_name_and_room_for_so_many(shop: Shop, laptop: Laptop) -> None:
    """What cannot name a group is refused before anything is written."""
    with pytest.raises(RequestRefused) as refused:
        _add(shop, laptop, "a/b")
    assert (refused.value.status, refused.value.path) == (422, "$.group")
    for number in range(REFERENCES_MAX):
        _add(shop, shop.enrol(f"reference {number}"))
    with pytest.raises(RequestRefused) as full:
        _add(shop, laptop)
    assert full.value.status == 409
    assert _add(shop, laptop, "pilots")


def test_a_learned_digest_counts_as_long_as_its_machine_stands_for_users(
    shop: Shop, laptop: Laptop
) -> None:
    """Its row stays; what a source said needs nobody to vouch for it."""
    learned = Artifact(
        "2.1.330", "linux-arm64", "binary", "d" * 64, 1, "learned", source_of(laptop.id)
    )
    stated = Artifact("2.1.330", "linux-x64", "binary", "a" * 64, 1, "registry", "npm")
    shop.write(lambda conn: published.save_artifacts(conn, (learned, stated), shop.now))
    assert _vouched(shop) == {stated}
    _add(shop, laptop)
    assert _vouched(shop) == {stated, learned}
    _remove(shop, laptop)
    assert _vouched(shop) == {stated}
    _add(shop, laptop)
    shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    assert _vouched(shop) == {stated}
    assert len(shop.read(published.files)) == 2


def _vouched(shop: Shop) -> set[Artifact]:
    return set(shop.read(lambda conn: published.files(conn, is_vouched())))


def test_a_forgotten_machine_stands_nowhere(shop: Shop, laptop: Laptop) -> None:
    """Its rows go with it, and what was learned from it, which names it."""
    _add(shop, laptop)
    learned = Artifact("2.1.330", "linux-arm64", "js", "d" * 64, 1, "learned", source_of(laptop.id))
    shop.write(lambda conn: published.save_artifacts(conn, (learned,), shop.now))
    shop.write(lambda conn: fleet.forget(conn, laptop.id, shop.now))
    assert shop.rows("SELECT * FROM reference_machines") == []
    assert shop.read(published.files) == ()
