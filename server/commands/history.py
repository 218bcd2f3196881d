"""``share`` and ``heads``: how the fleet stood and what was public, now or at a moment."""

import click

from server import shown
from server.commands.common import in_json, with_settings
from server.commands.database import reading
from server.settings import Settings
from server.shown import moment
from server.store import public
from server.surroundings import clock
from server.views import history as views
from server.views.api import past
from server.views.history import HeadsView, MachineAtView, ShareView
from server.views.status import Tally

at_moment = click.option(
    "--at", metavar="TIME", help="As it was then: ISO 8601 with an offset or Z, or epoch seconds."
)
"""Adds --at to a command."""


@click.command()
@at_moment
@click.option("--group", help="Only machines of this group.")
@in_json
@with_settings
def share(settings: Settings, at: str | None, group: str | None, *, in_json: bool) -> None:
    """Show the share of matching machines, now or in the past."""
    now = clock()
    asked = None if at is None else views.moment_of(at, now)
    with reading(settings) as conn:
        told = past.share(conn, asked, now, group)
    if in_json:
        shown.as_json(told)
    else:
        _print_share(told)


@click.command()
@at_moment
@in_json
@with_settings
def heads(settings: Settings, at: str | None, *, in_json: bool) -> None:
    """Show what channels point to, now or in the past."""
    now = clock()
    asked = now if at is None else views.moment_of(at, now)
    with reading(settings) as conn:
        told = views.heads(public.load_ledger(conn), asked)
    if in_json:
        shown.as_json(told)
    else:
        _print_heads(told)


def print_machine(seen: MachineAtView) -> None:
    """Shows a machine as it was told at a moment."""
    rows = [
        ("machine", seen.machine),
        ("label", seen.label),
        ("at", moment(seen.at)),
        ("group", seen.group),
        ("standing", seen.standing or seen.reason),
        ("profile", seen.profile),
        *(("finding", f"{item.code}: {item.sentence}") for item in seen.findings),
    ]
    for name, value in rows:
        click.echo(f"{name:<14} {shown.cell(value)}")


def _print_share(told: ShareView) -> None:
    if told.tally is None:
        click.echo(f"nothing is known of {moment(told.as_of)}: {told.reason}", err=True)
        return
    click.echo(f"as of {moment(told.as_of)}")
    rows = [(told.group or "all groups", _share(told.tally))]
    rows += [(name, _share(each)) for name, each in told.groups.items()]
    shown.as_table(("group", "share"), rows)


def _share(tally: Tally) -> str:
    number = "no share" if tally.share is None else f"{tally.share:.1%}"
    counted = ", ".join(f"{count} {name}" for name, count in tally.standings.items())
    return f"{number} of {tally.in_share}" + (f" ({counted})" if counted else "")


def _print_heads(told: HeadsView) -> None:
    if told.reason is not None:
        click.echo(f"nothing is known of {moment(told.at)}: {told.reason}", err=True)
    rows = [
        (each.channel, each.source, each.version, moment(each.since), moment(each.read_at))
        for each in told.heads
    ]
    if rows or told.reason is None:
        shown.as_table(("channel", "source", "version", "since", "last read"), rows)
