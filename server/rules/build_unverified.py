"""Bytes that are not, or not yet, checkable."""

from agent.wire import FindingView
from server.releases.identify import Unknowable, Waiting, questions
from server.rules.interface import Case, Examined, Rule, Ruling, earliest


def _examine(case: Case) -> Ruling:
    findings = []
    lookups: set[str] = set()
    changes_at = None
    for copy in case.counted:
        reason = _reason(copy)
        if reason is None:
            continue
        asked, again = questions(copy.identity, case.now)
        lookups |= asked
        changes_at = earliest(changes_at, again)
        findings.append(_finding(copy, reason))
    return Ruling(tuple(findings), changes_at, frozenset(lookups))


def _reason(copy: Examined) -> str | None:
    if isinstance(copy.identity, Waiting):
        return f"{copy.identity.version} is being looked up"
    if isinstance(copy.identity, Unknowable):
        return copy.identity.reason
    if copy.identity is None and copy.install.state != "stub":
        return copy.install.reason or "it was not examined"
    return None


def _finding(copy: Examined, reason: str) -> FindingView:
    return FindingView(
        code="build-unverified",
        severity="unknown",
        subject=copy.subject,
        sentence=f"{copy.name} cannot be checked: {reason}",
        install=copy.index,
    )


RULE = Rule(
    code="build-unverified",
    says="The copy's bytes could not be compared with public ones, for the reason given.",
    mend="Mostly wait: a look-up is tried again by itself. Else see to the reason given.",
    examine=_examine,
)
