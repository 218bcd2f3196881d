"""A collector that failed, or could see only a part: never a match."""

from agent.wire import FindingView
from server.rules.interface import Case, Rule, Ruling


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


RULE = Rule(
    code="not-examined",
    says="The agent could not look at a part of the laptop, for the reason given.",
    mend="See to the reason on that laptop; `parity-agent check` there tells the details.",
    examine=_examine,
)
