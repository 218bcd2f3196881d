"""Rules folded to one verdict. Pure: `judge` is a function of its four arguments.

A verdict belongs to a (profile, group), never to a machine, so a fleet that shares a
profile is judged once. Fold: drift over unknown over pending over exempt over match, and
`match` needs at least one counted install, each identified by its bytes. A note changes no
state.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from agent.wire import FindingView, InstallView, Profile, Standing
from server.policy import GroupPolicy
from server.releases.ledger import Ledger
from server.rules import rules
from server.rules.interface import Case, earliest, is_counted

State = Literal["match", "pending", "drift", "exempt", "unknown"]

Severity = Literal["drift", "unknown", "pending", "exempt", "note"]

WORST_FIRST: tuple[Severity, ...] = get_args(Severity)
"""Severities of findings in the order in which they are told."""


class Verdict(msgspec.Struct, frozen=True):
    """What holds for one profile in one group.

    Attributes:
        state: The folded state.
        findings: Worst first.
        counted: How many counted installs the profile has.
        next_change_at: When time alone may change this verdict; None if it never does.
        lookups: Versions to look up before more can be said.
        tag: Differs whenever state or findings do: 16 hex digits.
        outdated: Names (`server.standing.finding_key`) of findings that a release would explain
            which was not read yet.
    """

    state: State
    findings: tuple[FindingView, ...]
    counted: int
    next_change_at: int | None
    lookups: frozenset[str]
    tag: str
    outdated: frozenset[str] = frozenset()

    @property
    def standing(self) -> Standing:
        """The standing of a machine of which nothing else is true."""
        return standing_of(self.findings, self.counted)


def judge(profile: Profile, policy: GroupPolicy, ledger: Ledger, now: int) -> Verdict:
    """The verdict on a profile at `now` (whole seconds since the epoch)."""
    case = Case(profile, policy, ledger, now)
    ruled = [(rule.code, rule.examine(case)) for rule in rules()]
    rulings = [ruling for _, ruling in ruled]
    findings = ordered(finding for ruling in rulings for finding in ruling.findings)
    counted = len(case.counted)
    state = fold(findings, counted)
    return Verdict(
        state=state,
        findings=findings,
        counted=counted,
        next_change_at=earliest(*(ruling.changes_at for ruling in rulings)),
        lookups=frozenset().union(*(ruling.lookups for ruling in rulings)),
        # Read by nobody but compared: the fast encoder's one form is enough.
        tag=hashlib.sha256(msgspec.json.encode((state, findings))).hexdigest()[:16],
        outdated=frozenset(f"{code} {each}" for code, ruling in ruled for each in ruling.outdated),
    )


def ordered(findings: Iterable[FindingView]) -> tuple[FindingView, ...]:
    """Findings in the order in which they are told: worst first."""
    return tuple(
        sorted(
            findings,
            key=lambda item: (WORST_FIRST.index(severity_of(item)), item.code, item.subject),
        )
    )


def fold(findings: Iterable[FindingView], counted: int) -> State:
    """The state that findings amount to.

    Args:
        findings: In any order.
        counted: How many counted installs there are; without one nothing was examined.
    """
    found = {severity_of(item) for item in findings}
    if found & {"drift", "unknown", "pending"} or counted:
        return next((state for state in _STATES if state in found), "match")
    return "unknown"


def standing_of(findings: Iterable[FindingView], counted: int) -> Standing:
    """The same in the word for a machine: `absent` where nothing is installed that counts."""
    findings = tuple(findings)
    is_empty = {severity_of(item) for item in findings} <= {"exempt", "note"}
    return "absent" if is_empty and not counted else fold(findings, counted)


_STATES: tuple[State, ...] = ("drift", "unknown", "pending", "exempt")


def severity_of(finding: FindingView) -> Severity:
    """A finding's severity; one that is not known here is no evidence of anything."""
    return next((each for each in WORST_FIRST if each == finding.severity), "unknown")


def view_installs(profile: Profile, policy: GroupPolicy, ledger: Ledger) -> tuple[InstallView, ...]:
    """Every install of a profile with what is public about its bytes."""
    views = []
    for install in profile.installs:
        artifact = ledger.artifact(install.build.sha256) if install.build else None
        views.append(
            InstallView(
                install=install,
                counted=is_counted(install, policy),
                public=artifact.version if artifact else None,
                trust=artifact.trust if artifact else None,
            )
        )
    return tuple(views)
