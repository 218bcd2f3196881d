"""What is true now is swapped whole."""

from server.current import Current
from server.policy import GroupPolicy
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
    """What the public gets, within a day."""
    mine = GroupPolicy(channel="stable")
    current = Current(Ledger(), {"pilots": mine})
    assert current.policy("pilots") is mine
    assert current.policy("others") == GroupPolicy()
