"""The terminal starts an old copy while a newer one lies on the same laptop unused.

Two installs write one configuration, and the one that the shell finds first wins (facts 5,
#10280 and #50408; 7.3 "two installs, shadowing"): updating the other changes nothing that the
user sees. `build-behind` says that the started copy is old, this rule why updating may not
have helped. Only public bytes that nothing starts are a reason. What an editor, the desktop
app or an SDK starts is in use there; older copies, as the native installer keeps them beside
the newest, are never newer than what they are compared with.
"""

from agent.wire import FindingView, FixRef, Install
from server.releases.identify import Public
from server.releases.versions import is_newer, order
from server.rules.interface import Case, Examined, Rule, Ruling, earliest
from server.rules.lateness import lateness


def _examine(case: Case) -> Ruling:
    findings = []
    changes_at = None
    for copy in case.counted:
        position = copy.position
        if position is None or position.place != "behind" or "terminal" not in copy.surfaces:
            continue
        unused = _newest_unused(case, copy)
        if unused is None:
            continue
        late = lateness(position.replaced, case.policy.grace_s, case.now)
        changes_at = earliest(changes_at, late.changes_at)
        findings.append(
            FindingView(
                code="install-shadowed",
                severity=late.severity,
                subject=copy.subject,
                sentence=f"the terminal starts {copy.name}, and nothing starts {unused} on the"
                " same laptop",
                since=late.since,
                deadline=late.deadline,
                estimated=late.estimated,
                fix=FixRef("unshadow", copy.install.method, copy.version or ""),
                install=copy.index,
            )
        )
    return Ruling(tuple(findings), changes_at)


def _newest_unused(case: Case, started: Examined) -> str | None:
    """The newest public copy above a started one that nothing starts, as sentences call it."""
    found = [
        (version, install.method)
        for install in case.profile.installs
        if not install.counted
        and (version := _public(case, install)) is not None
        and is_newer(version, started.version or "")
    ]
    newest = max(found, key=lambda item: (order(item[0]), item[1]), default=None)
    return f"the newer {newest[1]} install {newest[0]}" if newest else None


def _public(case: Case, install: Install) -> str | None:
    if install.state != "ok" or install.build is None:
        return None
    identity = case.identify(install.build)
    return identity.artifact.version if isinstance(identity, Public) else None


RULE = Rule(
    code="install-shadowed",
    says="The terminal starts an old copy although a newer one is installed and unused.",
    mend="Remove the old copy, or put the newer one's folder before it on PATH.",
    examine=_examine,
)
