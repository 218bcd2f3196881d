"""An agent older than the server that it speaks to."""

from agent import __version__
from agent.wire import FindingView, FixRef
from server.releases.versions import is_newer
from server.rules.interface import MachineCase, Rule, Ruling


def _examine(case: MachineCase) -> Ruling:
    version = case.machine.agent
    if version is None or not is_newer(__version__, version):
        return Ruling()
    return Ruling(
        (
            FindingView(
                code="agent-outdated",
                severity="note",
                subject=f"agent {version}",
                sentence=f"the agent {version} is older than this server, {__version__}: it may"
                " not see all that a newer one does",
                fix=FixRef("upgrade", "agent", __version__),
            ),
        )
    )


RULE = Rule(
    code="agent-outdated",
    says="The agent on the laptop is older than the server; its verdict is told all the same.",
    mend="Roll out the agent of the server's version; nothing else depends on it.",
    examine_machine=_examine,
)
