"""``machines``: what an operator sees of a machine, and how one is let go.

``revoke`` ends a machine's token and keeps its history; ``forget`` deletes it. Both are
read by a running server at the machine's next request.
"""

import sys
from collections.abc import Iterator
from typing import get_args

import click
from sqlalchemy import Connection

from agent import fix
from agent.wire import FindingView, Standing
from server import shown
from server.commands.common import in_json, reading, with_settings, writing
from server.current import Current
from server.errors import StoreError
from server.running import clock
from server.settings import Settings
from server.shown import moment
from server.store import fleet, public, read
from server.store.timeline import timeline
from server.views import machines as views
from server.views.api import facts
from server.views.machines import Happening, ListedMachine, MachineHistoryView


@click.group()
def machines() -> None:
    """The machines that enrolled."""


@machines.command("list")
@click.option("--standing", type=click.Choice(get_args(Standing)), help="Only those that stand so.")
@click.option("--group", help="Only those of this group.")
@in_json
@with_settings
def list_machines(
    settings: Settings, standing: Standing | None, group: str | None, *, in_json: bool
) -> None:
    """Show all machines, or some, with their standing."""
    with reading(settings) as conn:
        listed = list(_listed(conn, group, standing))
    if in_json:
        shown.as_json(listed)
        return
    rows = [
        (item.machine, item.label, item.group, item.standing, moment(item.last_seen), item.owner)
        for item in listed
    ]
    shown.as_table(("machine", "label", "group", "standing", "last seen", "owner"), rows)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@in_json
@with_settings
def show(settings: Settings, machine: str, *, in_json: bool) -> None:
    """Show one machine: its findings, installs and what happened to it."""
    with reading(settings) as conn:
        seen = _view(conn, _named(conn, machine))
    if in_json:
        shown.as_json(seen)
    else:
        _print(seen)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@with_settings
def revoke(settings: Settings, machine: str) -> None:
    """End a machine's token; its history stays, its label is free again."""
    with reading(settings) as conn:
        identifier = _named(conn, machine)
    with writing(settings) as conn:
        if not fleet.leave(conn, identifier, clock()):
            raise _unknown(machine)


@machines.command()
@click.argument("machine", metavar="ID|LABEL")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def forget(settings: Settings, machine: str, *, yes: bool) -> None:
    """Delete a machine with its history, as if it had never been."""
    with reading(settings) as conn:
        identifier = _named(conn, machine)
    if not yes and sys.stdin.isatty():
        click.confirm(f"delete {shown.cell(machine)} with its history?", abort=True)
    with writing(settings) as conn:
        if not fleet.forget(conn, identifier, clock()):
            raise _unknown(machine)


def _listed(
    conn: Connection, group: str | None, standing: Standing | None
) -> Iterator[ListedMachine]:
    after = ""
    while page := read.machines_page(conn, after=after, group=group, standing=standing):
        yield from map(facts.listed, page)
        after = page[-1].id


def _named(conn: Connection, name: str) -> str:
    identifier = read.machine_named(conn, name)
    if identifier is None:
        raise _unknown(name)
    return identifier


def _unknown(name: str) -> StoreError:
    return StoreError(
        f"there is no machine {shown.cell(name)!r}, or it has left",
        advice="see parity-server machines list",
    )


def _view(conn: Connection, identifier: str) -> MachineHistoryView:
    current = Current(public.load_ledger(conn))
    seen = read.machine_view(conn, current, identifier, clock())
    if seen is None:
        raise _unknown(identifier)
    return views.history(seen, map(facts.happening, timeline(conn, identifier)))


def _print(seen: MachineHistoryView) -> None:
    rows = [
        ("machine", seen.machine),
        ("label", seen.label),
        ("owner", seen.owner),
        ("group", seen.group),
        ("standing", f"{seen.standing} since {moment(seen.since)}"),
        ("last check-in", moment(seen.last_seen)),
        ("agent", seen.agent),
        *(("finding", _finding(item)) for item in seen.findings),
        *(("happened", _happening(item)) for item in seen.timeline),
    ]
    for name, value in rows:
        click.echo(f"{name:<14} {shown.cell(value)}")


def _finding(finding: FindingView) -> str:
    command = fix.render(finding.fix) if finding.fix else None
    mend = f" Mend: {command.text}" if command else ""
    return f"{finding.code}: {finding.sentence}{mend}"


def _happening(item: Happening) -> str:
    codes = ", ".join(sorted({finding.code for finding in item.findings}))
    return f"{moment(item.at)} {item.kind}: {item.standing}" + (f" ({codes})" if codes else "")
