"""An agent older than the server."""

import pytest

from agent import __version__
from agent.fix import render
from server.machine_facts import MachineFacts
from server.policy import GroupPolicy
from server.rules.agent_outdated import RULE
from server.rules.interface import MachineCase
from tests.server.rules.ruled import NOW, only


def test_an_older_agent_is_noted_with_the_version_to_reach() -> None:
    """It changes no state: what the agent told is told all the same."""
    case = MachineCase(MachineFacts(0, NOW, agent="0.0.1"), GroupPolicy(), NOW)
    finding = only(RULE.examine_machine(case))
    assert (finding.severity, finding.subject) == ("note", "agent 0.0.1")
    assert finding.fix is not None
    command = render(finding.fix)
    assert command is not None
    assert __version__ in command.text


@pytest.mark.parametrize("agent", [None, __version__, "99.0.0", "unversioned"])
def test_an_agent_that_is_not_older_is_no_complaint(agent: str | None) -> None:
    """Nor one that has not spoken yet, nor one whose version is no number."""
    case = MachineCase(MachineFacts(0, NOW, agent=agent), GroupPolicy(), NOW)
    assert RULE.examine_machine(case).findings == ()
