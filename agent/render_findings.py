"""What people read of findings and of what is permitted, as lines of text. Pure."""

from datetime import tzinfo

from agent import fix
from agent.text import painted, plain, span, when, wrapped
from agent.wire import FindingView, MachineView, WaiverView


def why(view: MachineView, zone: tzinfo | None, *, colour: bool) -> list[str]:
    """What is found, worst first: since when, until when, and how to mend it."""
    if not view.findings:
        return []
    lines = ["WHY"]
    for each in view.findings:
        lines += finding(each, view.judged_at, zone, colour=colour)
    return lines


def finding(each: FindingView, now: int, zone: tzinfo | None, *, colour: bool) -> list[str]:
    """One finding: what, since when, until when, and how to mend it.

    Args:
        each: The finding.
        now: The clock that its times are counted on.
        zone: Of the reader.
        colour: The terminal shows colours.
    """
    name = f"{plain(each.severity)}: {plain(each.code)}"
    lines = [f"  {painted(name, each.severity, colour=colour)}"]
    lines += wrapped(each.sentence, "    ")
    if each.since is not None:
        about = "about " if each.estimated else ""
        since = f"since {about}{when(each.since, zone)} ({span(now - each.since)})"
        lines += wrapped(since, "    ")
    if each.deadline is not None:
        lines.append(f"    {_grace(each.deadline, now, zone)}")
    if each.waived_until is not None:
        left = span(each.waived_until - now)
        lines.append(f"    permitted until {when(each.waived_until, zone)}, for {left} more")
    return lines + _mend(each)


def _grace(deadline: int, now: int, zone: tzinfo | None) -> str:
    left = deadline - now
    if left > 0:
        return f"grace ends {when(deadline, zone)}, in {span(left)}"
    return f"grace ended {when(deadline, zone)}, {span(-left)} ago"


def _mend(each: FindingView) -> list[str]:
    if each.fix is None:
        return []
    command = fix.render(each.fix)
    if command is None:
        return wrapped("mend it: this agent knows no command for that: update it, or ask", "    ")
    return [f"    mend it: {command.text}"]


def permitted(view: MachineView, zone: tzinfo | None) -> list[str]:
    """The waivers that hold: what, who, until when, and why."""
    if not view.waivers:
        return []
    lines = ["PERMITTED"]
    for each in view.waivers:
        lines += _waiver(each, view.judged_at, zone)
    return lines


def _waiver(each: WaiverView, now: int, zone: tzinfo | None) -> list[str]:
    about = each.code if each.subject is None else f"{each.code}, {each.subject} only"
    until = f"{when(each.until, zone)}, for {span(each.until - now)} more"
    return [
        *wrapped(about, "  "),
        *wrapped(f"by {each.person} until {until}: {each.reason}", "    "),
    ]
