"""What a policy would change is what the judge says by both, added up."""

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import Profile, Standing
from server.current import Current
from server.judge import judge
from server.machine_facts import MachineFacts
from server.policy import GroupPolicy, Policies
from server.policy_diff import Change, Move, Twice, changes
from server.releases.ledger import Ledger
from server.standing import stand
from tests.server.cases import NOW, ledgers, policies, profiles

_STANDINGS: st.SearchStrategy[Standing] = st.sampled_from(["match", "drift", "unknown"])
_moves = st.lists(
    st.builds(
        Move,
        st.sampled_from(["a", "b"]),
        _STANDINGS,
        _STANDINGS,
        st.integers(0, 50),
        st.lists(st.text("xyz", min_size=1, max_size=3), max_size=3).map(tuple),
    ),
    max_size=12,
)


@given(_moves)
def test_every_machine_that_moves_is_counted_once(moves: list[Move]) -> None:
    """And no other; named ones are among those counted."""
    found = changes(moves, None)
    assert sum(each.machines for each in found) == sum(
        each.machines for each in moves if each.before != each.after
    )
    assert all(each.before != each.after and each.machines for each in found)
    keys = [(each.group, each.before, each.after) for each in found]
    assert len(set(keys)) == len(keys)


@given(_moves)
def test_no_more_are_named_than_were_asked_for(moves: list[Move]) -> None:
    """The first ones by name, whatever the order in which they came."""
    for few, full in zip(changes(moves, 2), changes(reversed(moves), None), strict=True):
        assert few.labels == full.labels[:2]
        assert (few.group, few.machines) == (full.group, full.machines)


def test_the_largest_change_of_a_group_is_told_first() -> None:
    """What an operator looks for."""
    moves = [
        Move("a", "match", "drift", 1, ("x",)),
        Move("a", "match", "unknown", 2, ("y", "z")),
        Move("a", "match", "drift", 2, ("b",)),
        Move("a", "match", "match", 9, ()),
    ]
    assert changes(moves) == (
        Change("a", "match", "drift", 3, ("b", "x")),
        Change("a", "match", "unknown", 2, ("y", "z")),
    )


@given(profiles, ledgers, policies, policies, st.integers(0, 10 * 86_400))
def test_both_sides_are_judged_as_the_server_would(
    profile: Profile, ledger: Ledger, old: GroupPolicy, new: GroupPolicy, quiet_s: int
) -> None:
    """By the same functions, at the same moment."""
    before, after = Current(ledger, Policies(old)), Current(ledger, Policies(new))
    twice = Twice(before, after, NOW)
    assert twice.differs("any") == (old != new)
    verdicts = twice.verdicts(profile, "any")
    assert verdicts == (judge(profile, old, ledger, NOW), judge(profile, new, ledger, NOW))
    facts = MachineFacts(NOW - 20 * 86_400, NOW - quiet_s)
    assert twice.stands(verdicts, (facts, facts), "any") == (
        stand(verdicts[0], facts, old, NOW).standing,
        stand(verdicts[1], facts, new, NOW).standing,
    )


def test_a_machine_without_a_profile_can_only_fall_silent() -> None:
    """There is nothing to judge."""
    before = Current(Ledger(), Policies())
    after = Current(Ledger(), Policies(GroupPolicy(silent_after_s=3_600)))
    facts = MachineFacts(NOW - 7_200, NOW - 7_200)
    twice = Twice(before, after, NOW)
    assert twice.stands(twice.verdicts(None, "any"), (facts, facts), "any") == ("unknown", "silent")
