"""A public build that is newer than the head of its channel."""

from agent.wire import FindingView, FixRef
from server.releases.position import Position
from server.rules.interface import Case, Examined, Rule, Ruling


def _examine(case: Case) -> Ruling:
    findings = []
    lookups = set()
    for copy in case.counted:
        if copy.position is None or copy.position.place != "ahead":
            continue
        findings.append(_finding(case, copy, copy.position))
        if not copy.position.checked:
            lookups.add(copy.version)
    return Ruling(
        tuple(findings),
        lookups=frozenset(version for version in lookups if version),
        outdated=frozenset(item.subject for item in findings),
    )


def _finding(case: Case, copy: Examined, position: Position) -> FindingView:
    assert position.head is not None  # noqa: S101 - nothing is ahead of no head
    head = position.head
    return FindingView(
        code="build-ahead",
        severity=case.not_public_yet if position.checked else "pending",
        subject=copy.subject,
        sentence=f"{copy.name} is newer than the head of {head.channel}, {head.version}"
        + ("" if position.checked else "; the head is being read again"),
        fix=FixRef("install", copy.install.method, head.version) if position.checked else None,
        install=copy.index,
    )


RULE = Rule(
    code="build-ahead",
    says="The copy is newer than what its channel gives to users, so users do not have it yet.",
    mend="Install the channel's own version with the command shown.",
    examine=_examine,
)
