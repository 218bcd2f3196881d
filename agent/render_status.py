"""``status`` as lines of text: what this machine is, why it stands so, and until when. Pure."""

from dataclasses import dataclass
from datetime import tzinfo

from agent.render_absent import at_rest
from agent.text import painted, plain, span, table, when, wrapped
from agent.wire import FindingView, MachineView


@dataclass(frozen=True)
class Seat:
    """What this machine is, by the laptop.

    Attributes:
        label: Its name at the server.
        group: The group that the server put it in.
        owner: Who to ask about it; None where nobody was named.
        server: The server's address.
        agent: This agent's version.
        is_running: Whether its daemon runs.
    """

    label: str
    group: str
    owner: str | None
    server: str
    agent: str
    is_running: bool


@dataclass(frozen=True)
class Heard:
    """The server's last word, and how the last try to reach it went.

    Attributes:
        view: The word.
        age_s: How long ago it was heard, in seconds.
        trouble: Why the last try failed; empty where it did not.
        advice: What to do about that.
    """

    view: MachineView
    age_s: int
    trouble: str = ""
    advice: str = ""


def status(
    seat: Seat,
    heard: Heard,
    *,
    zone: tzinfo | None = None,
    colour: bool = False,
) -> list[str]:
    """Everything that a person asks of a machine, in a screenful.

    Args:
        seat: What it is.
        heard: How it stands.
        zone: Of the reader.
        colour: The terminal shows colours.
    """
    lines = [*_seat(seat), "", *_standing(heard, zone, colour=colour)]
    findings = heard.view.findings
    if findings:
        lines += ["", "WHY", *_findings(findings)]
    until = _until(heard.view, zone)
    if until:
        lines += ["", "UNTIL WHEN", *until]
    if findings:
        lines += ["", "more: parity-agent explain CODE; to mend it: parity-agent fix"]
    return lines


def _seat(seat: Seat) -> list[str]:
    running = "runs" if seat.is_running else "does not run: nothing is looked at by itself"
    rows = (
        ("label", seat.label),
        ("group", seat.group),
        ("owner", seat.owner or "nobody was named"),
        ("server", seat.server),
        ("agent", f"{seat.agent}; its daemon {running}"),
    )
    return [
        "THIS MACHINE",
        *(
            line
            for name, value in rows
            for line in wrapped(f"{name:<7} {value}", "  ", hang=" " * 10)
        ),
    ]


def _standing(heard: Heard, zone: tzinfo | None, *, colour: bool) -> list[str]:
    view = heard.view
    state = painted(view.standing, view.standing, colour=colour)
    since = f"{when(view.since, zone)} ({span(view.judged_at - view.since + heard.age_s)})"
    lines = [
        f"{plain(view.label)} (group {plain(view.group)}): {state}",
        f"  since {since}",
        f"  the server's last word, {span(heard.age_s)} ago",
        *at_rest(view),
    ]
    if heard.trouble:
        lines += wrapped(f"the last try failed: {heard.trouble}", "  ")
        lines += wrapped(f"what to do: {heard.advice}", "  ")
    if view.settling:
        lines.append("  the server is still looking something up: check again soon")
    return lines


def _findings(findings: tuple[FindingView, ...]) -> list[str]:
    rows = [(each.code, each.severity, each.sentence) for each in findings]
    return table(("CODE", "SEVERITY", "WHAT"), rows)


def _until(view: MachineView, zone: tzinfo | None) -> list[str]:
    lines = []
    for each in view.findings:
        about = f"{each.code}, {each.subject}"
        if each.deadline is not None:
            word = "ends" if each.deadline > view.judged_at else "ended"
            end = f"{about}: grace {word} {when(each.deadline, zone, zoned=True)}"
            lines += wrapped(end, "  ", hang="    ")
        if each.waived_until is not None:
            end = f"{about}: permitted until {when(each.waived_until, zone, zoned=True)}"
            lines += wrapped(end, "  ", hang="    ")
    return lines
