"""``machines``: what an operator sees of a machine, and how one is let go.

``revoke`` ends a machine's token and keeps its history; ``forget`` deletes it. Both are
read by a running server at the machine's next request. ``move`` puts one into another group;
a running server judges it once more by what it holds.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import get_args

import click
from sqlalchemy import Connection

from agent import fix
from agent.wire import FindingView, InstallView, Override, Standing, WaiverView
from server import shown
from server.alerts.messages import span
from server.commands.common import in_json, with_settings
from server.commands.database import reading, writing
from server.commands.history import at_moment, print_machine
from server.commands.known import current_of
from server.commands.named import ever_named, named, unknown
from server.policy import DEFAULT_GROUP
from server.said import check_group
from server.settings import Settings
from server.shown import moment
from server.store import fleet, read
from server.store.live import judge_again
from server.surroundings import clock
from server.views.api import facts, past
from server.views.history import moment_of
from server.views.machines import (
    Happening,
    ListedMachine,
    MachineHistoryView,
    Shared,
    WhyLeft,
)

_WHY_LEFT: Mapping[WhyLeft, str] = {
    "uninstalled": "its user let go of it: by uninstalling the agent, or by enrolling anew",
    "replaced": "another machine took its label",
    "revoked": "an operator ended it",
}


@click.group()
def machines() -> None:
    """The machines that enrolled."""


@machines.command("list")
@click.option("--standing", type=click.Choice(get_args(Standing)), help="Only those that stand so.")
@click.option("--group", help="Only those of this group.")
@click.option("--all", "also_left", is_flag=True, help="Also those that have left.")
@in_json
@with_settings
def list_machines(
    settings: Settings,
    standing: Standing | None,
    group: str | None,
    *,
    also_left: bool,
    in_json: bool,
) -> None:
    """Show machines with their standing.

    Those that have left are shown with --all, or with --standing left.
    """
    is_shown = also_left or standing == "left"
    with reading(settings) as conn:
        every = _listed(conn, group, standing)
        listed = [item for item in every if is_shown or item.standing != "left"]
    if in_json:
        shown.as_json(listed)
        return
    rows = [
        (
            item.machine,
            item.label,
            item.group,
            item.standing,
            moment(item.last_seen),
            item.owner,
            _notes(item),
        )
        for item in listed
    ]
    columns = ("machine", "label", "group", "standing", "last seen", "owner", "notes")
    shown.as_table(columns, rows)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@at_moment
@in_json
@with_settings
def show(settings: Settings, machine: str, at: str | None, *, in_json: bool) -> None:
    """Show one machine: its findings, installs and history.

    A label that no machine has now shows the one that left with it last.
    """
    if at is not None:
        _show_past(settings, machine, moment_of(at, clock()), in_json=in_json)
        return
    with reading(settings) as conn:
        seen = _view(conn, ever_named(conn, machine))
    if in_json:
        shown.as_json(seen)
    else:
        _print(seen)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@click.option("--group", required=True, help="The group that it is to be in.")
@with_settings
def move(settings: Settings, machine: str, group: str) -> None:
    """Put a machine into another group.

    It is judged by that group's policy from now on.
    """
    check_group(group)
    with writing(settings) as conn:
        identifier, now, current = named(conn, machine), clock(), current_of(conn)
        if not fleet.move_to_group(conn, current, identifier, group, now):
            raise unknown(machine)
        judge_again(conn, identifier, now)
    click.echo(f"{shown.cell(machine)} is in the group {group} now", err=True)
    if group not in current.policies.groups and group != DEFAULT_GROUP:
        click.echo(f"the policy file names no group {group}: the default holds there", err=True)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@with_settings
def revoke(settings: Settings, machine: str) -> None:
    """End a machine's token; its history stays, its label is free again."""
    with reading(settings) as conn:
        identifier = named(conn, machine)
    with writing(settings) as conn:
        if not fleet.leave(conn, identifier, clock()):
            raise unknown(machine)
    click.echo(f"the token of {shown.cell(machine)} has ended", err=True)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def forget(settings: Settings, machine: str, *, yes: bool) -> None:
    """Delete a machine with its history, as if it had never been."""
    with reading(settings) as conn:
        identifier = named(conn, machine)
    if not yes and sys.stdin.isatty():
        click.confirm(f"delete {shown.cell(machine)} with its history?", abort=True)
    with writing(settings) as conn:
        if not fleet.forget(conn, identifier, clock()):
            raise unknown(machine)


def _listed(
    conn: Connection, group: str | None, standing: Standing | None
) -> Iterator[ListedMachine]:
    now, after = clock(), ""
    while page := read.machines_page(conn, after=after, group=group, standing=standing):
        yield from facts.listed(conn, page, now)
        after = page[-1].id


def _view(conn: Connection, identifier: str) -> MachineHistoryView:
    seen = facts.machine(conn, current_of(conn), identifier, clock())
    if seen is None:
        raise unknown(identifier)
    return seen


def _show_past(settings: Settings, machine: str, at: int, *, in_json: bool) -> None:
    with reading(settings) as conn:
        seen = past.machine_at(conn, ever_named(conn, machine), at)
    if seen is None:
        raise unknown(machine)
    if in_json:
        shown.as_json(seen)
    else:
        print_machine(seen)


def _print(seen: MachineHistoryView) -> None:
    rows = [
        ("machine", seen.machine),
        ("label", seen.label),
        ("owner", seen.owner),
        ("group", seen.group),
        ("standing", f"{seen.standing} since {moment(seen.since)}"),
        *([("why", _WHY_LEFT[seen.why_left])] if seen.why_left else []),
        *([("reference", "stands for what users run")] if seen.is_reference else []),
        *(("waiver", _waiver(item)) for item in seen.waivers),
        ("last check-in", moment(seen.last_seen)),
        ("agent", seen.agent),
        *(("install", _install(item)) for item in seen.installs),
        *(("override", _override(item)) for item in (seen.config.overrides if seen.config else ())),
        *(("finding", _finding(item)) for item in seen.findings),
        *(_shared(seen.shared) if seen.shared else ()),
        *(("happened", _happening(item)) for item in seen.timeline),
    ]
    for name, value in rows:
        click.echo(f"{name:<14} {shown.cell(value)}")


def _notes(item: ListedMachine) -> str:
    waived = f"{item.waivers} waivers" if item.waivers > 1 else "1 waiver" if item.waivers else ""
    return ", ".join(each for each in (waived, "reference" if item.is_reference else "") if each)


def _waiver(item: WaiverView) -> str:
    what = item.code if item.subject is None else f"{item.code} of {item.subject}"
    return f"{item.id}: {what} until {moment(item.until)} by {item.person}: {item.reason}"


def _install(item: InstallView) -> str:
    install = item.install
    version = (install.build.version if install.build else None) or install.claimed or "unknown"
    if item.public is not None:
        bytes_are = f"the bytes of {item.public} ({item.trust})"
    else:
        bytes_are = install.reason or install.state if install.build is None else "not public"
    started = f"started by {', '.join(install.starts)}" if install.starts else "at rest"
    return f"{install.method} ({install.place}) {version}: {bytes_are}; {started}"


def _override(item: Override) -> str:
    value = "set" if item.value is None else str(item.value).lower()
    rest = "the default" if item.is_default else "shadowed" if item.shadowed else ""
    noted = f" ({rest})" if rest else ""
    return f"{item.kind} {item.key}: {value}, in {item.layer}{noted}"


def _finding(finding: FindingView) -> str:
    command = fix.render(finding.fix) if finding.fix else None
    waived = f"; permitted until {moment(finding.waived_until)}" if finding.waived_until else ""
    mend = f"; mend it: {command.text}" if command else ""
    what = f"{finding.severity}: {finding.code} of {finding.subject}"
    return f"{what}: {finding.sentence}{waived}{mend}"


def _shared(shared: Shared) -> Iterator[tuple[str, str]]:
    yield "two laptops", f"are told as sharing it until {moment(shared.until)}, or longer"
    if shared.epoch is not None:
        said = f"acknowledged last, at {moment(shared.acknowledged_at)}"
        yield "epoch", f"{shared.epoch}: {said}"
    yield from (("epoch", f"{each}: left before") for each in reversed(shared.left))
    yield "took turns", ", ".join(moment(each) for each in reversed(shared.turns))
    yield "mend it", shared.mend


def _happening(item: Happening) -> str:
    codes = ", ".join(sorted({finding.code for finding in item.findings}))
    kind = f"group {item.group}" if item.kind == "group" and item.group else item.kind
    told = f"{moment(item.at)} {kind}: {item.standing}" + (f" ({codes})" if codes else "")
    return told if item.away_s is None else f"{told}, not heard of for {span(item.away_s)}"
