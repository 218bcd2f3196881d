"""``reference``: the machines that stand for what a group's users run.

A running server notices within about a second, and judges all again.
"""

import click

from server import shown
from server.commands.common import in_json, with_settings
from server.commands.database import reading, writing
from server.commands.named import named
from server.errors import StoreError
from server.settings import Settings
from server.shown import moment
from server.store import references
from server.surroundings import clock
from server.views.api import facts

_group = click.option("--group", required=True, help="The group that is compared with it.")


@click.group()
def reference() -> None:
    """Machines that are known to be what the public gets."""


@reference.command()
@click.argument("machine", metavar="ID|LABEL")
@_group
@with_settings
def add(settings: Settings, machine: str, group: str) -> None:
    """Have a machine stand for what a group's users run."""
    with writing(settings) as conn:
        references.add(conn, group, named(conn, machine), clock())
    click.echo(f"{shown.cell(machine)} stands for what the group {group}'s users run", err=True)


@reference.command("list")
@click.option("--group", help="Only those of this group.")
@in_json
@with_settings
def list_references(settings: Settings, group: str | None, *, in_json: bool) -> None:
    """Show the reference machines."""
    with reading(settings) as conn:
        listed = list(map(facts.reference, references.listed(conn, group)))
    if in_json:
        shown.as_json(listed)
        return
    rows = [
        (item.group, item.machine, item.label, moment(item.added_at), item.profile)
        for item in listed
    ]
    shown.as_table(("group", "machine", "label", "since", "profile"), rows)


@reference.command()
@click.argument("machine", metavar="ID|LABEL")
@_group
@with_settings
def remove(settings: Settings, machine: str, group: str) -> None:
    """Have it no longer stand for them.

    What was learned from it alone is trusted no more.
    """
    with writing(settings) as conn:
        done = references.remove(conn, group, named(conn, machine), clock())
    if not done:
        raise StoreError(
            f"{shown.cell(machine)!r} does not stand for the group {shown.cell(group)!r}",
            advice="see parity-server reference list",
        )
