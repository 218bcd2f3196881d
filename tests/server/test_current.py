"""What is true now is swapped whole."""

from collections.abc import Callable

import pytest

from server.current import Current
from server.policy import GroupPolicy, Policies
from server.reference import Reference
from server.releases.ledger import Ledger


def test_a_swapped_ledger_leaves_who_judges_with_the_one_it_took() -> None:
    """It took one value; the next look finds the new one."""
    old, new = Ledger(), Ledger()
    current = Current(old)
    taken = current.ledger
    current.ledger = new
    assert taken is old
    assert current.ledger is new


def test_a_group_without_a_policy_has_the_default_one() -> None:
    """What the public gets, within a day, unless the operator says otherwise."""
    mine = GroupPolicy(channel="stable")
    current = Current(Ledger(), Policies(groups={"pilots": mine}))
    assert current.policy("pilots") is mine
    assert current.policy("others") == GroupPolicy()
    current.policies = Policies(mine)
    assert current.policy("others") is mine


def test_a_group_is_expected_to_run_what_its_reference_machines_show() -> None:
    """Theirs alone, and from the moment at which either of the two is swapped."""
    current = Current(Ledger(), references={"pilots": Reference(machines=2)})
    assert current.policy("pilots").reference.machines == 2
    assert current.policy("others").reference.machines == 0
    current.policies = Policies(GroupPolicy(grace_s=0))
    assert (current.policy("pilots").grace_s, current.policy("pilots").reference.machines) == (0, 2)
    current.references = {}
    assert current.policy("pilots") == GroupPolicy(grace_s=0)


@pytest.mark.parametrize(
    "swap",
    [
        lambda current: setattr(current, "ledger", Ledger()),
        lambda current: setattr(current, "policies", Policies()),
        lambda current: setattr(current, "references", {}),
    ],
)
def test_whoever_judged_meanwhile_can_tell_that_something_was_swapped(
    swap: Callable[[Current], None],
) -> None:
    """Also where the new value equals the old one: it may have been judged by either."""
    current = Current(Ledger())
    before = current.changes
    swap(current)
    assert current.changes != before
