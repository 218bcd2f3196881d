"""Rules folded to one verdict. Pure: `judge` is a function of its four arguments.

A verdict belongs to a (profile, group), never to a machine, so a fleet that shares a
profile is judged once. Fold: drift over unknown over pending over exempt over match, and
`match` needs at least one counted install, each identified by its bytes.
"""

from typing import Literal

import msgspec

from agent.digest import of_value
from agent.wire import FindingView, InstallView, Profile, Standing
from server.policy import GroupPolicy
from server.releases.ledger import Ledger
from server.rules import rules
from server.rules.interface import Case, earliest

State = Literal["match", "pending", "drift", "exempt", "unknown"]

_WORST_FIRST: tuple[State, ...] = ("drift", "unknown", "pending")


class Verdict(msgspec.Struct, frozen=True):
    """What holds for one profile in one group.

    Attributes:
        state: The folded state.
        findings: Worst first.
        counted: How many counted installs the profile has.
        next_change_at: When time alone may change this verdict; None if it never does.
        lookups: Versions to look up before more can be said.
        tag: Differs whenever state or findings do: 16 hex digits.
    """

    state: State
    findings: tuple[FindingView, ...]
    counted: int
    next_change_at: int | None
    lookups: frozenset[str]
    tag: str

    @property
    def standing(self) -> Standing:
        """The standing of a machine of which nothing else is true."""
        return "absent" if self.counted == 0 and not self.findings else self.state


def judge(profile: Profile, policy: GroupPolicy, ledger: Ledger, now: int) -> Verdict:
    """The verdict on a profile at `now` (whole seconds since the epoch)."""
    case = Case(profile, policy, ledger, now)
    rulings = [rule.examine(case) for rule in rules()]
    findings = tuple(
        sorted(
            (finding for ruling in rulings for finding in ruling.findings),
            key=lambda item: (_WORST_FIRST.index(_severity(item)), item.code, item.subject),
        )
    )
    state: State = _severity(findings[0]) if findings else "match"
    if not findings and not case.counted:
        state = "unknown"  # nothing was examined; the standing says `absent`
    return Verdict(
        state=state,
        findings=findings,
        counted=len(case.counted),
        next_change_at=earliest(*(ruling.changes_at for ruling in rulings)),
        lookups=frozenset().union(*(ruling.lookups for ruling in rulings)),
        tag=of_value((state, findings)).removeprefix("sha256:")[:16],
    )


def _severity(finding: FindingView) -> State:
    # A severity that this code does not know is no evidence of anything.
    return next((state for state in _WORST_FIRST if state == finding.severity), "unknown")


def view_installs(profile: Profile, ledger: Ledger) -> tuple[InstallView, ...]:
    """Every install of a profile with what is public about its bytes."""
    views = []
    for install in profile.installs:
        artifact = ledger.artifact(install.build.sha256) if install.build else None
        views.append(
            InstallView(
                install=install,
                counted=install.counted,
                public=artifact.version if artifact else None,
                trust=artifact.trust if artifact else None,
            )
        )
    return tuple(views)
