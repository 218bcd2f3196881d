"""What reference machines show and teach is taken in, whoever marked them, and let go again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wire import Build, Override
from server.current import Current
from server.policy import GroupPolicy, Policies
from server.reference_watch import ReferenceWatch
from server.releases.asking import Asker
from server.releases.identify import PUBLIC_PACKAGE
from server.releases.ledger import Artifact, Release
from server.releases.sources.interface import Package, Published
from server.store import public, published, references
from server.store.following import numbers
from server.store.published import Conflict
from server.store.references import source_of
from tests.server.shop import HEAD, Laptop, Shop, profile

LOW = Override("setting", "effortLevel", "user", "behaviour", "low")
UNCOVERED = Build("e" * 64, 9, "binary", "2.1.331", "linux-x64", package=PUBLIC_PACKAGE)
OTHER = Build("f" * 64, 9, "binary", "2.1.331", "linux-x64", package=PUBLIC_PACKAGE)


class Watched:
    """A shop whose ledger stands in its database, with a watch over its references."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.write(lambda conn: published.save_heads(conn, "npm", {"latest": "2.1.330"}, shop.now))
        artifact = Artifact("2.1.330", "linux-x64", "binary", HEAD.sha256, 1, "registry", "npm")
        shop.write(lambda conn: published.save_artifacts(conn, (artifact,), shop.now))
        self.publish("2.1.330")
        self.current = shop.current
        self.current.policies = Policies(GroupPolicy(trust_learned=True))
        self.current.ledger = shop.read(public.load_ledger)
        self.watch = ReferenceWatch(shop.engine, shop.writer, self.current, shop.clock)

    def publish(self, version: str) -> None:
        """A source lists a version, and was asked for its files."""
        shop = self.shop
        shop.write(lambda conn: published.save_releases(conn, "npm", (Release(version, shop.now),)))
        shop.write(lambda conn: public.ask(conn, (version,), shop.now))
        shop.write(lambda conn: public.answer(conn, version, "found", None, shop.now))

    def swap(self) -> None:
        """The ledger is read again, as after a reading."""
        self.current.ledger = self.shop.read(public.load_ledger)

    def mark(self, laptop: Laptop) -> None:
        """Another process marks a machine."""
        self.shop.write(lambda conn: references.add(conn, "default", laptop.id, self.shop.now))

    def unmark(self, laptop: Laptop) -> None:
        """Another process unmarks it."""
        self.shop.write(lambda conn: references.remove(conn, "default", laptop.id, self.shop.now))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """A shop under watch, without reference machines."""
    shop = Shop(tmp_path)
    yield Watched(shop)
    shop.close()


def test_nothing_is_swapped_while_nothing_changed(watched: Watched) -> None:
    """Each look would have the whole fleet judged again."""
    before = watched.current.changes
    assert not watched.watch.look()
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(HEAD))
    watched.mark(laptop)
    assert watched.watch.look()
    after = watched.current.changes
    assert after > before
    assert not watched.watch.look()
    laptop.send(laptop.message(profile(HEAD)))
    assert not watched.watch.look()
    assert watched.current.changes == after


def test_a_machine_marked_by_another_process_is_compared_with(watched: Watched) -> None:
    """And no longer, when it is unmarked there."""
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(HEAD, overrides=(LOW,)))
    watched.mark(laptop)
    assert watched.watch.look()
    assert watched.current.policy("default").reference.machines == 1
    watched.unmark(laptop)
    assert watched.watch.look()
    assert watched.current.policy("default").reference.machines == 0


def test_who_begins_to_look_lets_go_of_what_was_unmarked_before(watched: Watched) -> None:
    """Nobody looked meanwhile: one server had died, and this one had only followed it."""
    shop, current = watched.shop, watched.current
    later = ReferenceWatch(shop.engine, shop.writer, current, shop.clock)
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    watched.mark(laptop)
    assert watched.watch.look()
    watched.unmark(laptop)
    before = shop.read(numbers).references
    assert later.look()
    assert current.policy("default").reference.machines == 0
    assert shop.read(numbers).references != before
    assert not later.look()


def test_another_profile_of_a_reference_machine_is_what_users_run_now(watched: Watched) -> None:
    """What it had before is forgotten with the profile."""
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(HEAD))
    watched.mark(laptop)
    watched.watch.look()
    laptop.tell(profile(HEAD, overrides=(LOW,)))
    assert watched.watch.look()
    assert len(watched.current.policy("default").reference.all) == 1


def test_bytes_that_no_source_covers_are_learned_and_let_go_with_their_machine(
    watched: Watched,
) -> None:
    """The row stays; what only this machine vouched for is no longer believed."""
    watched.publish("2.1.331")
    watched.swap()
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(UNCOVERED))
    watched.mark(laptop)
    assert watched.watch.look()
    learned = watched.current.ledger.artifact(UNCOVERED.sha256)
    assert learned is not None
    assert (learned.trust, learned.source) == ("learned", source_of(laptop.id))
    watched.unmark(laptop)
    assert watched.watch.look()
    assert watched.current.ledger.artifact(UNCOVERED.sha256) is None
    assert len(watched.shop.rows("SELECT * FROM artifacts WHERE trust = 'learned'")) == 1


def test_bytes_are_learned_once_their_version_is_listed(watched: Watched) -> None:
    """The machine had them first: nothing of it changes when the source catches up."""
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(UNCOVERED))
    watched.mark(laptop)
    watched.watch.look()
    assert watched.current.ledger.artifact(UNCOVERED.sha256) is None
    watched.publish("2.1.331")
    watched.swap()
    assert watched.watch.look()
    assert watched.current.ledger.artifact(UNCOVERED.sha256) is not None


def test_what_counts_by_another_policy_is_learned_by_it(watched: Watched) -> None:
    """A copy that its group does not look at teaches nothing, until it does."""
    watched.publish("2.1.331")
    watched.swap()
    watched.current.policies = Policies(GroupPolicy(surfaces=frozenset({"desktop"})))
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(UNCOVERED))
    watched.mark(laptop)
    watched.watch.look()
    assert watched.current.ledger.artifact(UNCOVERED.sha256) is None
    watched.current.policies = Policies()
    assert watched.watch.look()
    assert watched.current.ledger.artifact(UNCOVERED.sha256) is not None


def test_another_machine_with_the_same_bytes_goes_on_vouching_for_them(watched: Watched) -> None:
    """Only the last one takes them along."""
    watched.publish("2.1.331")
    watched.swap()
    first, second = watched.shop.enrol("anna"), watched.shop.enrol("ben")
    for laptop in (first, second):
        laptop.tell(profile(UNCOVERED))
        watched.mark(laptop)
        watched.watch.look()
    watched.unmark(first)
    watched.watch.look()
    watched.watch.look()
    learned = watched.current.ledger.artifact(UNCOVERED.sha256)
    assert learned is not None
    assert learned.source == source_of(second.id)


def test_reference_machines_that_disagree_are_the_operators_alarm(watched: Watched) -> None:
    """Two digests for one file: one of them is not what the public gets."""
    watched.publish("2.1.331")
    watched.swap()
    for label, build in (("anna", UNCOVERED), ("ben", OTHER)):
        laptop = watched.shop.enrol(label)
        laptop.tell(profile(build))
        watched.mark(laptop)
    watched.watch.look()
    ((told,),) = watched.shop.rows("SELECT body FROM outbox WHERE told = 'operator'")
    assert "Reference machines disagree on 2.1.331" in str(told)


def test_an_alarm_ends_with_the_disagreement_and_comes_with_the_next_one(
    watched: Watched,
) -> None:
    """Also where it is the same machine that comes back with what it had taught before."""
    watched.publish("2.1.331")
    watched.swap()
    laptops = []
    for label, build in (("anna", UNCOVERED), ("ben", OTHER)):
        laptops.append(watched.shop.enrol(label))
        laptops[-1].tell(profile(build))
        watched.mark(laptops[-1])
    for act in (watched.mark, watched.unmark, watched.mark):
        act(laptops[1])
        watched.watch.look()
    told = watched.shop.rows("SELECT body FROM outbox WHERE told = 'operator' ORDER BY id")
    assert ['"over":true' in str(each) for each in told] == [False, True, False]


def test_what_a_source_says_is_asked_for_in_spite_of_a_reference_machine(
    watched: Watched,
) -> None:
    """Its word stands only where there is no better one; a wrong word is an alarm."""
    watched.publish("2.1.331")
    watched.swap()
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(UNCOVERED))
    watched.mark(laptop)
    watched.watch.look()
    asker = Asker(watched.shop.writer, watched.current, watched.shop.clock)
    package = Package("linux-x64", "binary")
    assert asker.lacking(Published(Release("2.1.331"), (), (package,))) == [package]
    assert len(_stated(watched, OTHER)) == 1


def test_who_stands_for_users_no_more_contradicts_no_source(watched: Watched) -> None:
    """The digest that was learned from it stays written down, and is nobody's alarm."""
    watched.publish("2.1.331")
    watched.swap()
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(UNCOVERED))
    watched.mark(laptop)
    watched.watch.look()
    watched.unmark(laptop)
    assert _stated(watched, OTHER) == ()


def _stated(watched: Watched, build: Build) -> tuple[Conflict, ...]:
    file = Artifact("2.1.331", build.platform, build.form, build.sha256, 9, "registry", "npm")
    shop = watched.shop
    return shop.write(lambda conn: published.save_artifacts(conn, (file,), shop.now))


def test_a_start_goes_by_the_references_of_the_last_one(watched: Watched) -> None:
    """The first look of a new process finds nothing else than what it loaded."""
    laptop = watched.shop.enrol("anna")
    laptop.tell(profile(HEAD, overrides=(LOW,)))
    watched.mark(laptop)
    shop = watched.shop
    again = Current(shop.read(public.load_ledger), references=shop.read(references.load))
    before = again.changes
    assert not ReferenceWatch(shop.engine, shop.writer, again, shop.clock).look()
    assert again.changes == before
