"""A public build that is newer than the head of its channel."""

from agent.wire import FindingView
from server.rules.interface import Case, Examined, Rule, Ruling


def _examine(case: Case) -> Ruling:
    ahead = [copy for copy in case.counted if copy.position and copy.position.place == "ahead"]
    unchecked = {copy.version for copy in ahead if copy.position and not copy.position.checked}
    return Ruling(
        findings=tuple(_finding(case, copy) for copy in ahead),
        lookups=frozenset(version for version in unchecked if version),
    )


def _finding(case: Case, copy: Examined) -> FindingView:
    checked = copy.position is not None and copy.position.checked
    head = case.head_version(copy.install.method)
    return FindingView(
        code="build-ahead",
        severity=case.not_public_yet if checked else "pending",
        subject=copy.subject,
        sentence=f"{copy.name} is newer than the head of {case.channel}, {head}"
        + ("" if checked else "; the head is being read again"),
        fix=case.fix("install", copy.install.method) if checked else None,
        install=copy.index,
    )


RULE = Rule(
    code="build-ahead",
    says="The copy is newer than what its channel gives to users, so users do not have it yet.",
    mend="Install the channel's own version with the command shown.",
    examine=_examine,
)
