"""What would mend this machine, as lines of text. Pure."""

from collections.abc import Iterable, Sequence

from agent.claude_config.overrides import LocalOverride
from agent.mending import Plan, Step
from agent.render_absent import at_rest
from agent.render_explain import sets
from agent.text import plain, span, wrapped
from agent.wire import MachineView

_APPLY = "to run what is to be run, each after a question: parity-agent fix --apply"


def heard(view: MachineView, age_s: int, old_because: str) -> list[str]:
    """Whose word it is, how it stands, and how old that is.

    Args:
        view: The server's word.
        age_s: Its age, in seconds.
        old_because: Why it is not of now; empty where it is.
    """
    lines = [f"{plain(view.label)} (group {plain(view.group)}): {view.standing}"]
    if not old_because:
        lines.append("  by the server's word of just now")
    else:
        lines += wrapped(f"by the server's word of {span(age_s)} ago: {old_because}", "  ")
    return [*lines, *at_rest(view)]


def steps(
    plan: Plan, overrides: Sequence[LocalOverride] = (), *, applying: bool = False
) -> list[str]:
    """All steps, numbered: what can be run apart from what is done by hand.

    Args:
        plan: What would mend it.
        overrides: What this laptop sets, with the files.
        applying: The commands are about to be run, so that nobody needs to be told how.
    """
    numbered = list(enumerate(plan.steps, start=1))
    blocks = [
        _block("TO RUN", [each for each in numbered if each[1].runs], overrides),
        _block("TO DO BY HAND", [each for each in numbered if not each[1].runs], overrides),
        _unmended(plan),
    ]
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if block else []
    if not lines:
        return ["", "nothing is to be mended"]
    if not applying and any(each.runs for each in plan.steps):
        lines += ["", _APPLY]
    return lines


def files(step: Step, overrides: Sequence[LocalOverride]) -> tuple[str, ...]:
    """The files of this laptop that set what a step is to mend."""
    found = (each for finding in step.findings for each in sets(finding, overrides))
    return tuple(dict.fromkeys(str(each.file) for each in found if each.file is not None))


def _block(
    title: str, numbered: Iterable[tuple[int, Step]], overrides: Sequence[LocalOverride]
) -> list[str]:
    lines = []
    for number, each in numbered:
        lines.append(f"  {number}. {each.command.text}")
        for finding in each.findings:
            lines += wrapped(f"{finding.code}: {finding.sentence}", "     ")
        lines += [f"     it is set in {plain(file)}" for file in files(each, overrides)]
    return [title, *lines] if lines else []


def _unmended(plan: Plan) -> list[str]:
    lines = []
    for each in plan.unmended:
        why = "no command mends it" if each.fix is None else "this agent knows no command for it"
        lines += wrapped(f"{each.code}: {each.sentence}", "  ")
        lines.append(f"    {why}: parity-agent explain {plain(each.code)}")
    return ["NOTHING TO RUN FOR", *lines] if lines else []
