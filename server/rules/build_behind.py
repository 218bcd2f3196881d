"""A public build that is no longer the head of its channel."""

from datetime import UTC, datetime

from agent.wire import FindingView
from server.releases.ledger import Replaced
from server.rules.interface import Case, Examined, Rule, Ruling, earliest


def _examine(case: Case) -> Ruling:
    findings = []
    changes_at = None
    for copy in case.counted:
        if copy.position is None:
            continue
        changes_at = earliest(changes_at, copy.position.changes_at)
        if copy.position.place == "behind":
            findings.append(_behind(case, copy))
        elif copy.position.place == "undecidable":
            findings.append(_undecidable(case, copy))
    deadlines = [item.deadline for item in findings if item.severity == "pending"]
    return Ruling(tuple(findings), earliest(changes_at, *deadlines))


def _behind(case: Case, copy: Examined) -> FindingView:
    position = copy.position
    assert position is not None  # noqa: S101 - the caller looked
    assert position.head is not None  # noqa: S101 - nothing is behind no head
    replaced = position.replaced
    # Nothing tells when it was replaced: it is behind, but never by how much.
    deadline = replaced.at + case.policy.grace_s if replaced else None
    late = deadline is not None and case.now >= deadline
    return FindingView(
        code="build-behind",
        severity="drift" if late or deadline is None else "pending",
        subject=copy.subject,
        sentence=f"{copy.name} is behind: {position.head.channel} is {position.head.version}"
        + _replaced(replaced),
        since=replaced.at if replaced else None,
        deadline=deadline,
        estimated=replaced.estimated if replaced else False,
        fix=case.fix("install", copy.install.method),
        install=copy.index,
    )


def _replaced(replaced: Replaced | None) -> str:
    """When it ceased to be the head: older, mostly, than this machine's finding."""
    if replaced is None:
        return ""
    day = datetime.fromtimestamp(replaced.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"; it was replaced {'about ' if replaced.estimated else ''}{day}"


def _undecidable(case: Case, copy: Examined) -> FindingView:
    position = copy.position
    head = position.head if position else None
    channel = case.channel
    if channel is None:
        why = "the channel that this laptop follows is not told"
    elif head is None:
        why = f"no source shows the channel {channel}"
    else:
        why = f"the head of {channel} was last read too long ago"
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
