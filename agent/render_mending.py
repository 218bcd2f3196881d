"""What would mend this machine, as lines of text. Pure."""

from collections.abc import Iterable

from agent.mending import Plan, Step
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
        return [*lines, "  by the server's word of just now"]
    return [*lines, *wrapped(f"by the server's word of {span(age_s)} ago: {old_because}", "  ")]


def steps(plan: Plan, *, applying: bool) -> list[str]:
    """All steps, numbered: what can be run apart from what is done by hand.

    Args:
        plan: What would mend it.
        applying: The commands are about to be run, so that nobody needs to be told how.
    """
    numbered = list(enumerate(plan.steps, start=1))
    blocks = [
        _block("TO RUN", ((number, each) for number, each in numbered if each.runs)),
        _block("TO DO BY HAND", ((number, each) for number, each in numbered if not each.runs)),
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


def _block(title: str, numbered: Iterable[tuple[int, Step]]) -> list[str]:
    lines = []
    for number, each in numbered:
        lines.append(f"  {number}. {each.command.text}")
        for finding in each.findings:
            lines += wrapped(f"{finding.code}: {finding.sentence}", "     ")
    return [title, *lines] if lines else []


def _unmended(plan: Plan) -> list[str]:
    lines = []
    for each in plan.unmended:
        why = "no command mends it" if each.fix is None else "this agent knows no command for it"
        lines += wrapped(f"{each.code}: {each.sentence}", "  ")
        lines.append(f"    {why}: parity-agent explain {plain(each.code)}")
    return ["NOTHING TO RUN FOR", *lines] if lines else []
