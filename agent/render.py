"""What people read: the server's word and the laptop's own facts, as lines of text. Pure.

Plain tables as wide as the terminal, of at most 100 columns, that need no colour to be
understood; only a path or a command is ever longer, because a broken one cannot be copied.
Ages are counted on the server's clock, which set the times they are counted from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import PurePath

import msgspec

from agent import render_findings as findings
from agent import render_sessions
from agent.claude_config.overrides import LocalOverride
from agent.pause import Pause
from agent.render_absent import Idle, at_rest, no_install
from agent.render_exposure import told_remotely
from agent.render_overrides import overridden, typed_shell
from agent.render_sessions import Ran
from agent.text import painted, plain, rows_of, span, table, when, wrapped
from agent.wire import (
    Config,
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
        config: The configuration as it is told; None where it could not be examined.
        idle: Each program that nothing starts.
    """

    places: tuple[tuple[Install, PurePath], ...] = ()
    sessions: tuple[Ran, ...] = ()
    overrides: tuple[LocalOverride, ...] = ()
    exposure: Exposure | None = None
    typed_shell: tuple[LocalOverride, ...] = ()
    problems: tuple[Problem, ...] = ()
    public_default: str | None = None
    config: Config | None = None
    idle: tuple[Idle, ...] = ()


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
        _headline(view, local, zone, colour=colour),
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
    return _apart(blocks)


def paused(pause: Pause, now: int, *, untold: str = "", zone: tzinfo | None = None) -> list[str]:
    """That this laptop looks at nothing and sends nothing, until when, and who knows.

    Args:
        pause: The pause.
        now: The laptop's clock.
        untold: Why the server could not be told just now.
        zone: Of the reader.
    """
    until = f"{when(pause.until, zone)}, for {span(pause.left_s(now))} more"
    lines = wrapped(f"paused until {until}: nothing is looked at, nothing is sent", "")
    if pause.is_told:
        lines.append("  the server knows, and shows this machine as paused")
    else:
        lines += wrapped(
            "the server does not know yet: it will take this machine for a silent one", "  "
        )
        lines += wrapped(f"it could not be told: {untold}", "  ") if untold else []
        lines.append("  a running agent goes on trying to tell it, and sends nothing else")
    return [*lines, "  to end the pause: parity-agent resume"]


def unjudged(reason: str, local: Local) -> list[str]:
    """What was found on this laptop, where the server has no word on it.

    Args:
        reason: Why not.
        local: What was found.
    """
    head = wrapped(f"the server gave no verdict: {reason}", "")
    blocks = [
        [*head, "  what was found here is not compared with what is public"],
        _found(local),
        render_sessions.running(local.sessions),
        overridden(local.config, local.overrides, local.public_default),
        told_remotely(local.exposure),
        _problems(local),
        typed_shell(local.typed_shell),
    ]
    return _apart(blocks)


def _apart(blocks: Iterable[list[str]]) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if block:
            lines += ["", *block] if lines else block
    return lines


def _headline(view: MachineView, local: Local, zone: tzinfo | None, *, colour: bool) -> list[str]:
    state = painted(view.standing, view.standing, colour=colour)
    age = span(view.judged_at - view.since)
    lines = [
        f"{plain(view.label)} (group {plain(view.group)}): {state}",
        *wrapped(f"{_MEANING[view.standing]}; since {when(view.since, zone)} ({age})", "  "),
    ]
    if view.paused_until is not None:
        lines.append(f"  paused until {when(view.paused_until, zone)}")
    if view.is_reference:
        lines.append("  a reference machine: it stands for what users run in its group")
    if view.settling:
        lines.append("  the server is still looking something up: ask again soon")
    if view.standing == "absent":
        lines += ["", *(no_install(local.idle) if local.idle else _absent(view))]
    return lines


def _absent(view: MachineView) -> list[str]:
    return at_rest(view) or no_install(())


def _found(local: Local) -> list[str]:
    if not local.places:
        return ["INSTALLS", "  none"]
    views = [InstallView(each, counted=bool(each.starts)) for each, _ in local.places]
    head = ("METHOD", "VERSION", "BYTES", "STARTED BY")
    told, *rows = rows_of(head, [_install(each)[:-1] for each in views])
    for each, (_, path), lines in zip(views, local.places, rows, strict=True):
        told += [*lines, *_beneath(each), f"    {plain(path)}"]
    return ["INSTALLS", *told]


def _installs(view: MachineView, local: Local) -> list[str]:
    if not view.installs:
        return []
    head = ("METHOD", "VERSION", "BYTES", "STARTED BY", "PUBLIC")
    told, *rows = rows_of(head, [_install(each) for each in view.installs])
    for each, lines in zip(view.installs, rows, strict=True):
        told += [*lines, *_beneath(each)]
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
