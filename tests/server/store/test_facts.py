"""What is true of one machine only, gathered from where it is kept."""

import pytest

from agent.wire import Install, Override, Profile
from server.current import Current
from server.policy import GroupPolicy, Policies
from server.releases.ledger import Ledger, Reading
from server.store import waivers
from server.store.facts import facts_of, profile_of, versions_of
from server.store.machines import find
from server.waivers import Waiver
from tests.server.shop import BEHIND, DAY, HEAD, NO_CONFIG, NOW, Shop, profile


def readings(npm: int, bucket: int, channel: str = "latest") -> Ledger:
    """Both sources show the head, read at these moments."""
    return Ledger(
        [
            Reading("npm", channel, "2.1.330", NOW - DAY, npm),
            Reading("bucket", channel, "2.1.330", NOW - DAY, bucket),
        ]
    )


def copies(*methods: str) -> Profile:
    """A laptop with a copy by each method."""
    installs = (Install(each, "global", build=HEAD, starts=("terminal",)) for each in methods)
    return Profile(1, "linux", "x64", tuple(installs), config=NO_CONFIG)


@pytest.mark.parametrize(
    ("methods", "npm", "bucket", "expected"),
    [
        (("npm",), NOW + 5, NOW - 5, NOW + 5),
        (("native",), NOW + 5, NOW - 5, NOW - 5),
        (("npm", "native"), NOW + 5, NOW - 5, NOW - 5),
        (("native",), NOW - 5, NOW + 5, NOW + 5),
        (("npm", "native"), NOW + 5, NOW + 9, NOW + 5),
    ],
)
def test_a_head_is_read_by_the_source_that_the_copy_follows(
    shop: Shop, methods: tuple[str, ...], npm: int, bucket: int, expected: int
) -> None:
    """Another source's reading says nothing of it; of several copies all must be read."""
    laptop = shop.enrol("anna")
    laptop.tell(copies(*methods))
    machine = shop.read(lambda conn: find(conn, laptop.id))
    assert machine is not None
    current = Current(readings(npm, bucket))
    facts = shop.read(lambda conn: facts_of(conn, current, machine, NOW))
    assert (facts.taken_at, facts.heads_read_at) == (NOW, expected)


def test_the_channel_may_be_the_laptops_own(shop: Shop) -> None:
    """Then its own setting says which heads it follows."""
    stable = Override("setting", "autoUpdatesChannel", "user", "behaviour", "stable")
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD, overrides=(stable,)))
    machine = shop.read(lambda conn: find(conn, laptop.id))
    assert machine is not None
    mixed = Ledger(
        [
            Reading("npm", "latest", "2.1.330", NOW - DAY, NOW - 9),
            Reading("npm", "stable", "2.1.330", NOW - DAY, NOW + 9),
        ]
    )
    own = Current(mixed, Policies(GroupPolicy(channel="machine")))
    assert shop.read(lambda conn: facts_of(conn, own, machine, NOW)).heads_read_at == NOW + 9
    ours = Current(mixed)
    assert shop.read(lambda conn: facts_of(conn, ours, machine, NOW)).heads_read_at == NOW - 9


def test_a_machine_without_a_profile_follows_nothing(shop: Shop) -> None:
    """All that is known is when it was enrolled."""
    laptop = shop.enrol("anna")
    machine = shop.read(lambda conn: find(conn, laptop.id))
    assert machine is not None
    facts = shop.read(lambda conn: facts_of(conn, shop.current, machine, NOW))
    assert (facts.enrolled_at, facts.last_seen, facts.agent) == (NOW, NOW, None)
    assert (facts.taken_at, facts.heads_read_at, facts.waivers) == (None, None, ())
    assert shop.read(lambda conn: profile_of(conn, machine)) is None
    assert shop.read(lambda conn: versions_of(conn, machine, ())) == frozenset()


def test_every_waiver_is_a_fact_also_one_that_ended(shop: Shop) -> None:
    """Whether it holds is asked of each by itself."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(BEHIND))
    given = Waiver("01234567", "build-behind", None, "a trial", "ada", NOW, NOW + 60)
    shop.write(lambda conn: waivers.give(conn, laptop.id, given))
    shop.now += DAY
    machine = shop.read(lambda conn: find(conn, laptop.id))
    assert machine is not None
    assert shop.read(lambda conn: facts_of(conn, shop.current, machine, NOW)).waivers == (given,)
    findings = laptop.view().findings
    assert shop.read(lambda conn: versions_of(conn, machine, findings)) == {"2.1.329"}
