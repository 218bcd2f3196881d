"""What the agent could not see is never a match."""

from agent.wire import Problem, Profile
from server.machine_facts import MachineFacts
from server.policy import GroupPolicy
from server.rules.interface import MachineCase
from server.rules.not_examined import RULE
from tests.server.rules.ruled import CLEAN, HEAD, NOW, install, rule


def test_every_failed_collector_is_unknown_with_its_reason() -> None:
    """One finding each."""
    problems = (Problem("native", "no access"), Problem("npm", "it timed out"))
    told = Profile(1, "linux", "x64", (install(HEAD),), config=CLEAN, problems=problems)
    found = rule(RULE, profile=told).findings
    assert [item.severity for item in found] == ["unknown", "unknown"]
    assert found[0].sentence == "the agent could not examine everything (native): no access"


def test_a_configuration_that_could_not_be_read_is_unknown() -> None:
    """Unless there is nothing that it could configure."""
    assert len(rule(RULE, profile=Profile(1, "linux", "x64", (install(HEAD),))).findings) == 1
    assert rule(RULE, profile=Profile(1, "linux", "x64")).findings == ()


def test_installs_that_did_not_fit_are_unknown() -> None:
    """They are there, and nobody knows what they are."""
    told = Profile(1, "linux", "x64", (install(HEAD),), more_installs=2, config=CLEAN)
    (finding,) = rule(RULE, profile=told).findings
    assert finding.sentence.endswith("2 more were not told")


def test_a_profile_that_a_machine_does_not_send_is_unknown() -> None:
    """Since it first named it; the one known before may not be what runs there now."""
    unsent = MachineFacts(0, NOW, unsent_since=NOW - 60)
    (finding,) = RULE.examine_machine(MachineCase(unsent, GroupPolicy(), NOW)).findings
    assert (finding.severity, finding.since) == ("unknown", NOW - 60)
    sent = MachineFacts(0, NOW)
    assert RULE.examine_machine(MachineCase(sent, GroupPolicy(), NOW)).findings == ()
