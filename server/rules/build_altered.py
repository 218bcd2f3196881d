"""A public version number with other bytes.

Nix patches what it packages (facts 1.1): the same number, never the same bytes. That it is a
known packager explains them and makes them no more public.
"""

from agent.wire import FindingView
from server.releases.identify import Altered
from server.rules.interface import Case, Examined, Rule, Ruling


def _examine(case: Case) -> Ruling:
    return Ruling(
        tuple(
            _finding(case, copy, copy.identity)
            for copy in case.counted
            if isinstance(copy.identity, Altered)
        )
    )


def _finding(case: Case, copy: Examined, altered: Altered) -> FindingView:
    return FindingView(
        code="build-altered",
        severity="drift",
        subject=copy.subject,
        sentence=f"{copy.name} has other bytes than the public {altered.version}{_why(copy)}",
        fix=case.fix("reinstall", copy.install.method),
        install=copy.index,
    )


def _why(copy: Examined) -> str:
    return ": Nix patches what it packages" if copy.install.method == "nix" else ""


RULE = Rule(
    code="build-altered",
    says="The copy calls itself a public version, but its bytes are not the published ones.",
    mend="Install the public bytes with the command shown, and find out who changed them.",
    examine=_examine,
)
