"""A build from which the head was moved back: users are no longer given it.

It is not ahead of what users have: they had it. The grace runs from when the head was moved
back. Claude Code moves itself down as well (facts 5, #33926), so within it most laptops mend
themselves.
"""

from agent.wire import FindingView, FixRef
from server.releases.position import Position
from server.rules.interface import Case, Examined, Rule, Ruling, earliest
from server.rules.lateness import Lateness, lateness, moment


def _examine(case: Case) -> Ruling:
    findings = []
    changes_at = None
    for copy in case.counted:
        if copy.position is None or copy.position.place != "withdrawn" or copy.lags_by:
            continue
        late = lateness(copy.position.replaced, case.policy.grace_s, case.now)
        changes_at = earliest(changes_at, late.changes_at)
        findings.append(_finding(copy, copy.position, late))
    return Ruling(tuple(findings), changes_at)


def _finding(copy: Examined, position: Position, late: Lateness) -> FindingView:
    assert position.head is not None  # noqa: S101 - nothing is withdrawn for no head
    when = moment(position.replaced)
    return FindingView(
        code="build-withdrawn",
        severity=late.severity,
        subject=copy.subject,
        sentence=f"{copy.name} was withdrawn: {position.head.channel} was moved back to"
        f" {position.head.version}" + (f" on {when}" if when else ""),
        since=late.since,
        deadline=late.deadline,
        estimated=late.estimated,
        fix=FixRef("install", copy.install.method, position.head.version),
        install=copy.index,
    )


RULE = Rule(
    code="build-withdrawn",
    says="Users were given this build, and then the channel was moved back from it.",
    mend="Install the version that the channel points to now with the command shown.",
    examine=_examine,
)
