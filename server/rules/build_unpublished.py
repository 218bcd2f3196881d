"""A version number or a package name that was never public."""

from agent.wire import FindingView
from server.releases.identify import Unpublished
from server.rules.interface import Case, Rule, Ruling, earliest


def _examine(case: Case) -> Ruling:
    findings = []
    lookups = set()
    changes_at = None
    for copy in case.counted:
        if not isinstance(copy.identity, Unpublished):
            continue
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
        again = copy.identity.asked_again_at
        if copy.identity.version and again is not None and case.now >= again:
            lookups.add(copy.identity.version)
        elif again is not None:
            changes_at = earliest(changes_at, again)
    return Ruling(tuple(findings), changes_at, frozenset(lookups))


RULE = Rule(
    code="build-unpublished",
    says="The copy's version number or package name was never given to users.",
    mend="Install the public version with the command shown.",
    examine=_examine,
)
