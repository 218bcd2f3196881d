"""What is told before a policy is in force is what comes true once it is."""

import functools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.wire import Override, Profile
from server import enrolment
from server.current import Current
from server.policy import GroupPolicy, Policies
from server.policy_diff import Change, Twice, changes
from server.store import fleet, preview, read, rings
from tests.server.shop import BEHIND, DAY, HEAD, Shop, ledger, profile

EFFORT = Override("setting", "effortLevel", "user", "behaviour", "low")
MINE, OTHER, OWN = profile(HEAD), profile(BEHIND), profile(HEAD, overrides=(EFFORT,))


def told(shop: Shop, after: Policies, labels_max: int | None = None) -> tuple[Change, ...]:
    """What these policies would change."""
    current = shop.current
    twice = Twice(current, Current(current.ledger, after, current.references), shop.now)
    found = shop.read(lambda conn: list(preview.moves(conn, twice, labels_max)))
    return changes(found, labels_max)


def standings(shop: Shop) -> dict[str, tuple[str, str]]:
    """Every live machine's group and standing, by label."""
    rows = shop.read(read.machines_page)
    return {row.label: (row.group, row.standing) for row in rows if row.standing != "left"}


def put_in_force(shop: Shop, after: Policies) -> None:
    """As a reload does, until nothing is left to do."""
    shop.current.policies = after
    shop.write(rings.ask)
    shop.ring()
    shop.judge_again()
    while shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 100)):
        pass


def grouped(shop: Shop, group: str) -> None:
    """From here on machines enrol into this group."""
    shop.secret = shop.write(lambda conn: enrolment.create_secret(conn, group, shop.now))


def test_only_machines_of_a_group_that_changes_are_told(shop: Shop) -> None:
    """By group, from what to what, and who."""
    shop.current.ledger = ledger(read_at=shop.now + DAY)
    for label in ("anna", "ben"):
        shop.enrol(label).tell(OTHER)
    shop.enrol("cleo").tell(MINE)
    grouped(shop, "pilots")
    shop.enrol("dora").tell(OTHER)
    sharp = GroupPolicy(grace_s=0)
    assert told(shop, Policies()) == ()
    assert told(shop, Policies(groups={"pilots": sharp})) == (
        Change("pilots", "pending", "drift", 1, ("dora",)),
    )
    assert told(shop, Policies(sharp), 1) == (
        Change("default", "pending", "drift", 2, ("anna",)),
        Change("pilots", "pending", "drift", 1, ("dora",)),
    )


def test_machines_that_the_new_times_make_exceptions_are_told_by_themselves(shop: Shop) -> None:
    """Who is quiet by the new policy does not count with its verdict, and is named once."""
    shop.current.ledger = ledger(read_at=shop.now + DAY)
    for label in ("anna", "ben"):
        shop.enrol(label).tell(OTHER)
    shop.now += 7_200
    last = shop.enrol("cleo")
    last.tell(OTHER)
    sharp = Policies(GroupPolicy(grace_s=0, silent_after_s=3_600))
    assert told(shop, sharp) == (
        Change("default", "pending", "silent", 2, ("anna", "ben")),
        Change("default", "pending", "drift", 1, ("cleo",)),
    )


def test_machines_that_the_new_grace_spares_are_told_by_themselves(shop: Shop) -> None:
    """Their verdict drifts; whoever enrolled lately only has time to mend it."""
    shop.current.ledger = ledger(read_at=shop.now + DAY)
    shop.enrol("anna").tell(OTHER)
    shop.now += 7_200
    shop.enrol("ben").tell(OTHER)
    sharp = GroupPolicy(grace_s=0, enrolled_grace_s=3_600)
    assert told(shop, Policies(sharp)) == (Change("default", "pending", "drift", 1, ("anna",)),)


_policies = st.builds(
    GroupPolicy,
    channel=st.sampled_from(["latest", "latest", "stable"]),
    grace_s=st.sampled_from([0, 3_600, DAY]),
    silent_after_s=st.sampled_from([3_600, DAY, 3 * DAY]),
    enrolled_grace_s=st.sampled_from([0, 3_600, 30 * DAY]),
    allowed_overrides=st.sampled_from([(), ("effort*",)]),
    surfaces=st.sampled_from([frozenset({"terminal"}), frozenset({"sdk"})]),
)
_fleets = st.lists(
    st.tuples(
        st.sampled_from(["default", "pilots"]),
        st.sampled_from([MINE, OTHER, OWN, None]),
        st.sampled_from([0, 1_800, 7_200, 2 * DAY]),
        st.booleans(),
    ),
    max_size=6,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_fleets, _policies, _policies, st.none() | _policies)
def test_what_is_told_comes_true(
    shop: Shop,
    machines: list[tuple[str, Profile | None, int, bool]],
    old: GroupPolicy,
    new: GroupPolicy,
    pilots: GroupPolicy | None,
) -> None:
    """For any fleet and any two policies: who is named moves so, and nobody else moves."""
    for (known,) in shop.rows("SELECT id FROM machines"):
        shop.write(functools.partial(fleet.forget, machine_id=str(known), now=shop.now))
    shop.now += 10 * DAY
    shop.current.ledger = ledger(since=shop.now - 5_000, read_at=shop.now + 10 * DAY)
    shop.current.policies = Policies(old)
    for number, (group, said, pause_s, leaves) in enumerate(machines):
        grouped(shop, group)
        laptop = shop.enrol(f"laptop-{number}")
        if said is not None:
            laptop.tell(said)
        if leaves:
            shop.write(functools.partial(fleet.leave, machine_id=laptop.id, now=shop.now))
        shop.now += pause_s
    put_in_force(shop, Policies(old))
    before = standings(shop)
    after = Policies(new, {"pilots": pilots} if pilots else {})
    foretold = {
        label: (each.group, each.before, each.after)
        for each in told(shop, after)
        for label in each.labels
    }
    assert len(foretold) == sum(each.machines for each in told(shop, after))
    put_in_force(shop, after)
    now = standings(shop)
    assert foretold == {
        label: (group, standing, now[label][1])
        for label, (group, standing) in before.items()
        if now[label][1] != standing
    }
