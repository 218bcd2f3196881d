"""A public build that is no longer the head of its channel.

Copies that only an editor, the desktop app or an SDK starts are not updated by their user:
`surface-lagging` gives them a time of their own. One that a moved head left behind is
`build-withdrawn`. Whether a copy is behind at all is asked here for every one.
"""

from agent.wire import FindingView, FixRef
from server.releases.position import Position
from server.rules.interface import Case, Examined, Rule, Ruling, earliest
from server.rules.lateness import Lateness, lateness, moment


def _examine(case: Case) -> Ruling:
    findings = []
    changes_at = None
    for copy in case.counted:
        if copy.position is None:
            continue
        changes_at = earliest(changes_at, copy.position.changes_at)
        if copy.position.place == "behind" and not copy.lags_by:
            late = lateness(copy.position.replaced, case.policy.grace_s, case.now)
            changes_at = earliest(changes_at, late.changes_at)
            findings.append(_behind(copy, copy.position, late))
        elif copy.position.place == "undecidable":
            findings.append(_undecidable(case, copy, copy.position))
    return Ruling(tuple(findings), changes_at)


def _behind(copy: Examined, position: Position, late: Lateness) -> FindingView:
    assert position.head is not None  # noqa: S101 - nothing is behind no head
    when = moment(position.replaced)
    return FindingView(
        code="build-behind",
        severity=late.severity,
        subject=copy.subject,
        sentence=f"{copy.name} is behind: {position.head.channel} is {position.head.version}"
        + (f"; it was replaced {when}" if when else ""),
        since=late.since,
        deadline=late.deadline,
        estimated=late.estimated,
        fix=FixRef("install", copy.install.method, position.head.version),
        install=copy.index,
    )


def _undecidable(case: Case, copy: Examined, position: Position) -> FindingView:
    head = position.head
    if case.channel is None:
        why = "the channel that this laptop follows is not told"
    elif head is None:
        why = f"no source shows the channel {case.channel}"
    else:
        why = f"the head of {case.channel} was last read too long ago"
    return FindingView(
        code="build-behind",
        severity="unknown",
        subject=copy.subject,
        sentence=f"whether {copy.name} is behind cannot be decided: {why}",
        since=head.last_seen + case.policy.head_max_age_s if head else None,
        install=copy.index,
    )


RULE = Rule(
    code="build-behind",
    says="The copy is a public build, but no longer the one that its channel points to.",
    mend="Update it with the command shown; within the grace time nothing else is needed.",
    examine=_examine,
)
