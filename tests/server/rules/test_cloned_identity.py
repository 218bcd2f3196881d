"""Two laptops that speak with one identity."""

from agent.fix import render
from server.machine_facts import CLONED_S, MachineFacts
from server.policy import GroupPolicy
from server.rules.cloned_identity import RULE
from server.rules.interface import MachineCase, Ruling
from tests.server.rules.ruled import NOW, only


def on(*alternations: int, now: int = NOW) -> Ruling:
    """What is said of a machine whose epochs alternated at these times."""
    return RULE.examine_machine(
        MachineCase(MachineFacts(0, NOW, alternations=alternations), GroupPolicy(), now)
    )


def test_epochs_that_alternate_again_and_again_are_two_laptops() -> None:
    """Unknown, since which of them the rest is about cannot be told."""
    ruling = on(NOW - 600, NOW - 60)
    finding = only(ruling)
    assert (finding.severity, finding.since) == ("unknown", NOW - 600)
    assert finding.fix is not None
    assert render(finding.fix) is not None


def test_it_is_said_for_a_day_to_the_second() -> None:
    """If they fall silent, or one was enrolled anew, it ends by itself."""
    until = NOW - 60 + CLONED_S
    assert on(NOW - 600, NOW - 60).changes_at == until
    assert on(NOW - 600, NOW - 60, now=until - 1).findings
    assert on(NOW - 600, NOW - 60, now=until) == Ruling()


def test_one_alternation_is_a_laptop_restored_from_a_copy() -> None:
    """Two of them far apart are two such laptops, one after the other."""
    assert on() == Ruling()
    assert on(NOW - 60) == Ruling()
    assert on(NOW - 60 - CLONED_S, NOW - 60) == Ruling()
