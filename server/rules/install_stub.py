"""npm's unfilled placeholder, left where install scripts were not run (facts 1.3)."""

from agent.wire import FindingView
from server.rules.interface import Case, Rule, Ruling


def _examine(case: Case) -> Ruling:
    return Ruling(
        tuple(
            FindingView(
                code="install-stub",
                severity="drift",
                subject=copy.subject,
                sentence=f"{copy.name} is npm's unfilled placeholder: its install script did not"
                " run, and it cannot start",
                fix=case.fix("reinstall", copy.install.method),
                install=copy.index,
            )
            for copy in case.counted
            if copy.install.state == "stub"
        )
    )


RULE = Rule(
    code="install-stub",
    says="npm installed the package without running its install script: nothing can start.",
    mend="Install again with scripts allowed, as the command shown does.",
    examine=_examine,
)
