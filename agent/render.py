"""What people read: the server's word and the laptop's own facts, as lines of text. Pure.

Plain tables of at most 100 columns that need no colour to be understood; only a path or a
command is ever longer, because a broken one cannot be copied. Ages are counted on the
server's clock, which set the times they are counted from.
"""

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import PurePath

import msgspec

from agent import render_findings as findings
from agent import render_sessions
from agent.claude_config.overrides import LocalOverride
from agent.pause import Pause
from agent.render_exposure import told_remotely
from agent.render_overrides import overridden, typed_shell
from agent.render_sessions import Ran
from agent.text import painted, plain, span, table, when, wrapped
from agent.wire import (
    Exposure,
    Install,
    InstallView,
    MachineView,
    Problem,
)

_MEANING = {
    "match": "what runs here is what the public gets",
    "pending": "not yet what the public gets, and still in time",
    "drift": "not what the public gets",
    "exempt": "differs, and it is permitted",
    "unknown": "there is not enough evidence to tell",
    "absent": "no Claude Code is in use here",
    "silent": "the server has not heard from this machine",
    "paused": "its user asked to be left alone for a while",
    "left": "this machine has been signed off at the server",
}

_KIND_MAX = 17
_STARTS_MAX = 16
# Wider columns would leave the last one too little of a line to name the public bytes in.


@dataclass(frozen=True)
class Local:
    """What only the laptop shows.

    Attributes:
        places: Each install that was found, and where it lies.
        sessions: Each build that running sessions are told with, and who executes it now.
        overrides: As found, with the files that set them.
        exposure: What the product was told remotely; None where it was not looked for.
        typed_shell: Variables of the shell in which the command was typed.
        problems: What could not be examined.
        public_default: The config hash of a machine that overrides nothing.
    """

    places: tuple[tuple[Install, PurePath], ...] = ()
    sessions: tuple[Ran, ...] = ()
    overrides: tuple[LocalOverride, ...] = ()
    exposure: Exposure | None = None
    typed_shell: tuple[LocalOverride, ...] = ()
    problems: tuple[Problem, ...] = ()
    public_default: str | None = None


def verdict(
    view: MachineView, local: Local, *, zone: tzinfo | None = None, colour: bool = False
) -> list[str]:
    """The server's whole word on this machine.

    Args:
        view: The word.
        local: What the laptop adds; empty where it did not look.
        zone: Of the reader.
        colour: The terminal shows colours.
    """
    blocks = [
        _headline(view, zone, colour=colour),
        _installs(view, local),
        render_sessions.running(local.sessions),
        _heads(view),
        overridden(view.config, local.overrides, local.public_default),
        told_remotely(local.exposure),
        findings.why(view, zone, colour=colour),
        findings.permitted(view, zone),
        _problems(local),
        typed_shell(local.typed_shell),
    ]
    lines: list[str] = []
    for block in blocks:
        if block:
            lines += ["", *block] if lines else block
    return lines


def paused(pause: Pause, now: int, *, untold: str = "", zone: tzinfo | None = None) -> list[str]:
    """That this laptop looks at nothing and sends nothing, until when, and who knows.

    Args:
        pause: The pause.
        now: The laptop's clock.
        untold: Why the server could not be told just now.
        zone: Of the reader.
    """
    until = f"{when(pause.until, zone)}, for {span(pause.left_s(now))} more"
    lines = [f"paused until {until}: nothing is looked at, nothing is sent"]
    if pause.is_told:
        lines.append("  the server knows, and shows this machine as paused")
    else:
        lines.append("  the server does not know yet: it will take this machine for a silent one")
        lines += wrapped(f"it could not be told: {untold}", "  ") if untold else []
        lines.append("  a running agent goes on trying to tell it, and sends nothing else")
    return [*lines, "  to end the pause: parity-agent resume"]


def no_install() -> list[str]:
    """What to say kindly to somebody who has no Claude Code."""
    return [
        "No Claude Code was found that a shell of yours starts: there is nothing to compare.",
        "That is fine if you do not use it. If you do:",
        "  to get the public release   npm install -g @anthropic-ai/claude-code",
        "  if it lies elsewhere        put its folder on the PATH of your login shell",
        "  then look again             parity-agent check",
    ]


def _headline(view: MachineView, zone: tzinfo | None, *, colour: bool) -> list[str]:
    state = painted(view.standing, view.standing, colour=colour)
    age = span(view.judged_at - view.since)
    lines = [
        f"{plain(view.label)} (group {plain(view.group)}): {state}",
        f"  {_MEANING[view.standing]}; since {when(view.since, zone)} ({age})",
    ]
    if view.paused_until is not None:
        lines.append(f"  paused until {when(view.paused_until, zone)}")
    if view.is_reference:
        lines.append("  a reference machine: it stands for what users run in its group")
    if view.settling:
        lines.append("  the server is still looking something up: ask again soon")
    if view.standing == "absent":
        lines += ["", *no_install()]
    return lines


def _installs(view: MachineView, local: Local) -> list[str]:
    if not view.installs:
        return []
    head = ("METHOD", "VERSION", "BYTES", "STARTED BY", "PUBLIC")
    lines = table(head, [_install(each) for each in view.installs])
    told = [lines[0]]
    for each, line in zip(view.installs, lines[1:], strict=True):
        told.append(line)
        told += _beneath(each)
        alike = (path for install, path in local.places if _same(install, each.install))
        told += [f"    {plain(path)}" for path in alike]
    return ["INSTALLS", *told]


def _same(found: Install, told: Install) -> bool:
    # Several copies may be told as one, and a reason is told without what names a place.
    return msgspec.structs.replace(found, reason=None) == msgspec.structs.replace(told, reason=None)


def _install(each: InstallView) -> tuple[str, ...]:
    install, build = each.install, each.install.build
    version = (build.version if build else None) or install.claimed or "?"
    kind, starts = _kind(install), _starts(each)
    return (
        kind if len(kind) <= _KIND_MAX else install.method,
        version,
        f"sha256 {build.sha256[:12]}" if build else install.state,
        starts if len(starts) <= _STARTS_MAX else f"{len(install.starts)} surfaces",
        _public(each),
    )


def _kind(install: Install) -> str:
    return f"{install.method} ({install.place})"


def _starts(each: InstallView) -> str:
    return ", ".join(each.install.starts) if each.counted else "at rest"


def _beneath(each: InstallView) -> list[str]:
    """What its row has no room for."""
    kind, starts = _kind(each.install), _starts(each)
    more = [plain(kind)] if len(kind) > _KIND_MAX else []
    more += [f"started by {plain(starts)}"] if len(starts) > _STARTS_MAX else []
    return [f"    {', '.join(more)}"] if more else []


def _public(each: InstallView) -> str:
    if each.public is not None:
        return f"the bytes of {each.public}" + (f" ({each.trust})" if each.trust else "")
    return each.install.reason or "no public bytes known as these"


def _heads(view: MachineView) -> list[str]:
    if not view.heads:
        none = f"  no source shows the channel {plain(view.channel)}"
        return ["PUBLIC NOW", none] if view.channel else []
    rows = [
        (each.channel, each.version, each.source, f"{span(view.judged_at - each.read_at)} ago")
        for each in view.heads
    ]
    lines = table(("CHANNEL", "VERSION", "SOURCE", "READ"), rows)
    if view.channel is not None:
        lines.append(f"  judged by the channel {plain(view.channel)}")
    return ["PUBLIC NOW", *lines]


def _problems(local: Local) -> list[str]:
    if not local.problems:
        return []
    return [
        "NOT EXAMINED",
        *table(("PART", "REASON"), [(each.collector, each.reason) for each in local.problems]),
    ]
