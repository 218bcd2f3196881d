"""Two laptops that speak with one identity, such as those of a copied disk.

Each of them goes on from what it was acknowledged, so the epochs of their journals alternate.
One laptop restored from a snapshot does that once; two do it again and again.
"""

from agent.wire import FindingView, FixRef
from server.rules.interface import MachineCase, Rule, Ruling


def _examine(case: MachineCase) -> Ruling:
    until = case.machine.cloned_until
    if until is None or case.now >= until:
        return Ruling()
    return Ruling(
        (
            FindingView(
                code="cloned-identity",
                severity="unknown",
                subject="identity",
                sentence="two laptops seem to speak with this machine's identity: which of them"
                " the rest is about cannot be told",
                since=case.machine.alternations[-2],
                fix=FixRef("enrol", "agent", "again"),
            ),
        ),
        changes_at=until,
    )


RULE = Rule(
    code="cloned-identity",
    says="Two laptops share one identity, as after copying a disk; their reports alternate.",
    mend="Enrol one of the two again under a name of its own; the other one keeps this machine.",
    examine_machine=_examine,
)
