"""What pages, API and commands are told of machines."""

import msgspec
import pytest

from agent.wire import Override, Standing
from server import enrolment
from server.policy import GroupPolicy, Policies
from server.store import fleet, read, references, waivers
from server.waivers import Waiver
from tests.server.shop import BEHIND, DAY, HEAD, Shop, digest_of, ledger, profile


def test_a_machine_is_told_with_its_findings_installs_and_heads(shop: Shop) -> None:
    """Everything that its own agent and a viewer need."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(BEHIND))
    view = laptop.view()
    (finding,) = view.findings
    assert (view.label, view.group, view.standing) == ("anna", "default", "pending")
    assert (finding.code, finding.severity) == ("build-behind", "pending")
    assert (view.installs[0].public, view.installs[0].trust) == ("2.1.329", "registry")
    assert (view.heads[0].version, view.profile) == ("2.1.330", digest_of(profile(BEHIND)))
    assert (view.agent, view.last_seen, view.settling) == ("0.1.0", shop.now, False)


def test_what_is_wanted_of_a_machine_makes_its_view_settle(shop: Shop) -> None:
    """The standing shown is of the profile before: ask again soon."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    laptop.send(laptop.message(profile(BEHIND)))
    assert laptop.view().settling
    laptop.upload(profile(BEHIND))
    assert not laptop.view().settling


def test_a_view_tells_the_channel_that_decides(shop: Shop) -> None:
    """The policy's, or the laptop's own; none as long as that is not known."""
    shop.current.policies = Policies(GroupPolicy(channel="machine"))
    laptop = shop.enrol("anna")
    assert (laptop.view().channel, laptop.view().heads) == (None, ())
    stable = Override("setting", "autoUpdatesChannel", "user", "behaviour", "stable")
    laptop.tell(profile(HEAD, overrides=(stable,)))
    assert laptop.view().channel == "stable"
    laptop.tell(profile(HEAD))
    assert (laptop.view().channel, len(laptop.view().heads)) == ("latest", 1)
    shop.current.policies = Policies()
    assert shop.enrol("ben").view().channel == "latest"


def test_a_view_tells_what_is_true_of_this_machine_only(shop: Shop) -> None:
    """Waivers that hold, its pause, and that it stands for what users run."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(BEHIND))
    given = Waiver("01234567", "build-behind", None, "a trial", "ada", shop.now, shop.now + 60)
    shop.write(lambda conn: waivers.give(conn, laptop.id, given))
    shop.write(lambda conn: references.add(conn, "default", laptop.id, shop.now))
    laptop.send(msgspec.structs.replace(laptop.message(profile(BEHIND)), paused_s=7200))
    view = laptop.view()
    assert (view.standing, view.paused_until, view.is_reference) == (
        "paused",
        shop.now + 7200,
        True,
    )
    assert [(each.id, each.person, each.until) for each in view.waivers] == [
        ("01234567", "ada", shop.now + 60)
    ]
    assert [each.severity for each in view.findings] == ["exempt"]
    shop.now += 60
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert laptop.view().waivers == ()
    assert [each.severity for each in laptop.view().findings] == ["pending"]


def test_an_exception_of_which_nothing_was_kept_is_told_by_its_facts(shop: Shop) -> None:
    """As from before its history was: until it is looked at for the first time."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(BEHIND))
    before = laptop.view().findings
    shop.now += 3 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE stands SET body = NULL").close())
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE machines SET stand_tag = NULL").close())
    view = laptop.view()
    assert (view.standing, view.findings) == ("silent", before)
    assert view.tag.startswith("silent-")


def test_nobody_has_no_view(shop: Shop) -> None:
    """None, for whoever asks by id."""
    assert shop.read(lambda conn: read.machine_view(conn, shop.current, "x", shop.now)) is None


def test_pages_hold_every_machine_once(shop: Shop) -> None:
    """In the order of their ids, each page after the last id of the one before."""
    ids = sorted(shop.enrol(f"laptop-{number}").id for number in range(7))
    seen: list[str] = []
    with shop.engine.connect() as conn:
        while page := read.machines_page(conn, after=seen[-1] if seen else "", limit=3):
            assert len(page) <= 3
            seen += [row.id for row in page]
    assert seen == ids


@pytest.mark.parametrize(
    ("standing", "labels"),
    [("silent", ["anna"]), ("pending", ["ben"]), ("unknown", ["carl"]), ("drift", [])],
)
def test_pages_are_narrowed_by_standing(shop: Shop, standing: Standing, labels: list[str]) -> None:
    """One of exception, one of a verdict, and one of a machine without any."""
    shop.enrol("anna").tell(profile(HEAD))
    shop.now += 3 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 1000))
    shop.current.ledger = ledger(HEAD, shop.now, shop.now)
    shop.enrol("ben").tell(profile(BEHIND))
    shop.enrol("carl")
    page = shop.read(lambda conn: read.machines_page(conn, standing=standing))
    assert [row.label for row in page] == labels


def test_pages_are_narrowed_by_group(shop: Shop) -> None:
    """The group is the secret's."""
    shop.enrol("anna")
    shop.secret = shop.write(lambda conn: enrolment.create_secret(conn, "pilots", shop.now))
    shop.enrol("carl")
    page = shop.read(lambda conn: read.machines_page(conn, group="pilots"))
    assert [row.label for row in page] == ["carl"]


def test_a_machine_is_found_by_its_id_or_its_live_label(shop: Shop) -> None:
    """An id wins; a label of one that left is nobody's."""
    anna = shop.enrol("anna")
    twin = shop.enrol(anna.id)
    assert shop.read(lambda conn: read.machine_named(conn, "anna")) == anna.id
    assert shop.read(lambda conn: read.machine_named(conn, anna.id)) == anna.id
    assert shop.read(lambda conn: read.machine_named(conn, twin.id)) == twin.id
    shop.write(lambda conn: fleet.leave(conn, anna.id, shop.now))
    assert shop.read(lambda conn: read.machine_named(conn, "anna")) is None
    assert shop.read(lambda conn: read.machine_named(conn, anna.id)) == anna.id


def test_a_page_is_picked_from_a_bounded_number_of_machines(shop: Shop) -> None:
    """Page for page each machine is looked at once; of the last ones nothing bounds them."""
    ids = sorted(shop.enrol(f"laptop {number}").id for number in range(5))
    assert shop.read(lambda conn: read.bound(conn, "", 2)) == ids[1]
    assert shop.read(lambda conn: read.bound(conn, ids[1], 2)) == ids[3]
    assert shop.read(lambda conn: read.bound(conn, ids[3], 2)) is None
    assert shop.read(lambda conn: read.bound(conn, ids[2], 2)) is None
    page = shop.read(lambda conn: read.machines_page(conn, after=ids[1], upto=ids[3]))
    assert [row.id for row in page] == ids[2:4]
    drifting = shop.read(lambda conn: read.machines_page(conn, upto=ids[1], standing="drift"))
    assert drifting == []
