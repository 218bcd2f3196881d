"""A version number or a package name that was never public.

A foreign package name in the bytes is told here and not by `staff-only`: that rule is about
what is set on the laptop, this one about what its copies are.
"""

from agent.wire import FindingView
from server.releases.identify import Unpublished, questions
from server.rules.interface import Case, Rule, Ruling, earliest


def _examine(case: Case) -> Ruling:
    findings = []
    lookups: set[str] = set()
    outdated: set[str] = set()
    changes_at = None
    for copy in case.counted:
        if not isinstance(copy.identity, Unpublished):
            continue
        asked, again = questions(copy.identity, case.now)
        lookups |= asked
        changes_at = earliest(changes_at, again)
        if copy.identity.version is not None:
            outdated.add(copy.subject)
        findings.append(
            FindingView(
                code="build-unpublished",
                severity=case.not_public_yet,
                subject=copy.subject,
                sentence=f"{copy.name} was never public: {copy.identity.reason}",
                fix=case.fix("reinstall", copy.install.method),
                install=copy.index,
            )
        )
    return Ruling(tuple(findings), changes_at, frozenset(lookups), frozenset(outdated))


RULE = Rule(
    code="build-unpublished",
    says="The copy's version number or package name was never given to users.",
    mend="Install the public version with the command shown.",
    examine=_examine,
)
