"""A collector that failed, or could see only a part: never a match."""

from agent.wire import FindingView
from server.rules.interface import Case, MachineCase, Rule, Ruling


def _examine(case: Case) -> Ruling:
    findings = [_finding(problem.collector, problem.reason) for problem in case.profile.problems]
    if case.profile.config is None and case.counted:
        findings.append(_finding("claude_config", "no configuration could be examined"))
    if case.profile.more_installs:
        findings.append(_finding("installs", f"{case.profile.more_installs} more were not told"))
    return Ruling(tuple(findings))


def _finding(collector: str, reason: str) -> FindingView:
    return FindingView(
        code="not-examined",
        severity="unknown",
        subject=f"{collector} {reason}",
        sentence=f"the agent could not examine everything ({collector}): {reason}",
    )


def _examine_machine(case: MachineCase) -> Ruling:
    """Whether the machine names a profile that it does not send.

    Its last known profile may not be what runs there now.
    """
    if case.machine.unsent_since is None:
        return Ruling()
    return Ruling(
        (
            FindingView(
                code="not-examined",
                severity="unknown",
                subject="profile unsent",
                sentence="this machine has changed, and the server has not been sent what it is"
                " now; `parity-agent check` on it tells why",
                since=case.machine.unsent_since,
            ),
        )
    )


RULE = Rule(
    code="not-examined",
    says="The agent could not look at a part of the laptop, for the reason given.",
    mend="See to the reason on that laptop; `parity-agent check` there tells the details.",
    examine=_examine,
    examine_machine=_examine_machine,
)
