"""Which commands would mend this machine, by the server's word. Pure.

A finding names a fix and never a command; `agent.fix` renders it. Findings that one command
mends share a step. What may run by itself comes before what a person does by hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent import fix
from agent.fix import Command
from agent.wire import FindingView, FixRef, MachineView


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        fix: What the server names.
        command: What that is on this laptop.
        findings: What it mends.
    """

    fix: FixRef
    command: Command
    findings: tuple[FindingView, ...]

    @property
    def runs(self) -> bool:
        """Whether it is a command that can be run without a person's hands."""
        return self.command.argv is not None


@dataclass(frozen=True)
class Plan:
    """All that would mend the findings that are asked for.

    Attributes:
        steps: Those that run first, each in the order of the findings.
        unmended: Findings for which there is nothing to do here.
    """

    steps: tuple[Step, ...] = ()
    unmended: tuple[FindingView, ...] = ()


def names(view: MachineView) -> tuple[str, ...]:
    """What a finding can be asked for by: its code, or what it is about."""
    return tuple(
        dict.fromkeys(name for each in view.findings for name in (each.code, each.subject))
    )


def plan(view: MachineView, about: str | None = None) -> Plan:
    """The steps for the findings of a word.

    Args:
        view: The server's word.
        about: A rule code or a subject; None takes all findings but those that are permitted.
    """
    chosen = [each for each in view.findings if _is_asked(each, about)]
    by_fix: dict[FixRef, list[FindingView]] = {}
    unmended = []
    for each in chosen:
        if each.fix is None or fix.render(each.fix) is None:
            unmended.append(each)
        else:
            by_fix.setdefault(each.fix, []).append(each)
    return Plan(tuple(sorted(_steps(by_fix.items()), key=_by_hand)), tuple(unmended))


def _steps(found: Iterable[tuple[FixRef, list[FindingView]]]) -> Iterable[Step]:
    for ref, findings in found:
        command = fix.render(ref)
        if command is not None:
            yield Step(ref, command, tuple(findings))


def _by_hand(step: Step) -> bool:
    return not step.runs


def _is_asked(finding: FindingView, about: str | None) -> bool:
    if about is None:
        return finding.severity != "exempt"
    return about in {finding.code, finding.subject}
