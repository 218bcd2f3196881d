"""The status: nobody is forgotten, and nobody matches by default."""

from hypothesis import given
from hypothesis import strategies as st

from server.policy import GroupPolicy, Policies
from server.releases.health import Condition
from server.releases.ledger import Ledger, Reading
from server.views import status
from server.views.status import AlertFacts, Fleet, SourceFacts

STANDINGS = (
    "match", "pending", "drift", "exempt", "unknown", "silent", "paused", "absent", "left"
)  # fmt: skip

_counts = st.dictionaries(
    st.tuples(st.sampled_from(["default", "pilots"]), st.sampled_from(STANDINGS)),
    st.integers(0, 10**6),
)


def test_without_a_machine_there_is_no_share() -> None:
    """Nothing is not all, and not none."""
    seen = status.view(Fleet({("default", "left"): 3, ("default", "absent"): 1}), Ledger(), 0)
    assert (seen.fleet.machines, seen.fleet.in_share, seen.fleet.share) == (4, 0, None)


def test_silent_and_unknown_machines_stay_in_the_denominator() -> None:
    """A laptop that says nothing is not a laptop that matches."""
    counts = {("default", name): 1 for name in ("match", "silent", "unknown", "exempt", "left")}
    assert status.view(Fleet(counts), Ledger(), 0).fleet.share == 1 / 4


@given(_counts)
def test_groups_add_up_to_the_fleet(counts: dict[tuple[str, str], int]) -> None:
    """Every machine is counted once in the fleet and once in its group."""
    seen = status.view(Fleet(counts), Ledger(), 0)
    assert seen.fleet.machines == sum(counts.values())
    assert seen.fleet.machines == sum(tally.machines for tally in seen.groups.values())
    for tally in (seen.fleet, *seen.groups.values()):
        assert sum(tally.standings.values()) == tally.machines
        assert tally.share is None or 0 <= tally.share <= 1
        assert 0 not in tally.standings.values()


def test_heads_and_messages_are_told_with_their_age() -> None:
    """Also where a clock went back: an age is never negative."""
    ledger = Ledger(readings=[Reading("npm", "latest", "2.1.330", 10, 40)])
    fleet = Fleet({}, alerts=AlertFacts(waiting=1, oldest_at=30))
    now = status.view(fleet, ledger, 100)
    assert (now.heads[0].version, now.heads[0].age_s, now.alerts.oldest_s) == ("2.1.330", 60, 70)
    back = status.view(fleet, ledger, 20)
    assert (back.heads[0].age_s, back.alerts.oldest_s) == (0, 0)


def test_a_source_that_was_not_asked_yet_is_named() -> None:
    """Waiting is neither well nor unreachable."""
    seen = status.view(Fleet({}, sources=(SourceFacts("npm", "waiting"),)), Ledger(), 0)
    assert (seen.sources[0].state, seen.sources[0].read_at) == ("waiting", None)


def test_a_group_is_told_whether_it_reaches_its_target() -> None:
    """By its own policy; without a target, or anybody to count, that is not known."""
    counts = {("a", "match"): 9, ("a", "drift"): 1, ("b", "match"): 9, ("c", "left"): 1}
    wanting = GroupPolicy(target_share=0.95)
    policies = Policies(groups={"a": wanting, "c": wanting})
    groups = status.view(Fleet(counts), Ledger(), 0, policies).groups
    told = {name: (each.target_share, each.target_reached) for name, each in groups.items()}
    assert told == {"a": (0.95, False), "b": (None, None), "c": (0.95, None)}
    just = Policies(GroupPolicy(target_share=0.9))
    assert status.view(Fleet(counts), Ledger(), 0, just).groups["a"].target_reached is True


def test_what_is_wrong_with_the_sources_is_told_since_when() -> None:
    """In the operator's words."""
    frozen = Condition("frozen npm latest", "frozen", 7, "npm stands still")
    (told,) = status.view(Fleet({}, conditions=(frozen,)), Ledger(), 0).conditions
    assert (told.kind, told.since, told.text) == ("frozen", 7, "npm stands still")


def test_a_policy_file_that_was_refused_is_told() -> None:
    """The status rests on the one before it."""
    assert status.view(Fleet({}), Ledger(), 0).policy_refused is None
    refused = status.view(Fleet({}, policy_refused=(7, "line 2")), Ledger(), 9).policy_refused
    assert refused == status.RefusedPolicy(7, "line 2")
