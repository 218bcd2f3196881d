"""``versions``: how many machines have which version, and since when."""

from collections.abc import Sequence

import click

from server import shown
from server.commands.common import in_json, with_settings
from server.commands.database import reading
from server.commands.known import current_of
from server.settings import Settings
from server.shown import moment
from server.surroundings import clock
from server.views.activity import DAYS, DAYS_MAX
from server.views.api import facts
from server.views.versions import VersionsView, VersionUse


@click.command()
@click.option("--group", help="Only machines of this group.")
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=DAYS,
    show_default=True,
    help="So many days, today included.",
)
@in_json
@with_settings
def versions(settings: Settings, group: str | None, days: int, *, in_json: bool) -> None:
    """Show how many machines have which version."""
    with reading(settings) as conn:
        told = facts.versions(conn, current_of(conn), days, clock(), group)
    if in_json:
        shown.as_json(told)
        return
    number = f"{told.machines} machine{'' if told.machines == 1 else 's'}"
    click.echo(f"days since {moment(told.since)}; {number}")
    header = ("version", "machines", "share", "by group", "at the end of each day")
    shown.as_table(header, rows(told))


def rows(told: VersionsView) -> list[tuple[object, ...]]:
    """What is shown of each version; the numbers of a day stand below each other. Pure."""
    days = zip(*(each.days for each in told.versions), strict=True)
    widths = [max(len(str(number)) for number in day) for day in days]
    return [_cells(each, told.group, widths) for each in told.versions]


def _cells(use: VersionUse, group: str | None, widths: Sequence[int]) -> tuple[object, ...]:
    share = None if use.share is None else f"{use.share:.1%}"
    groups = {group: use.machines} if group is not None else use.groups
    by_group = ", ".join(f"{name} {number}" for name, number in groups.items())
    days = (str(number).rjust(width) for number, width in zip(use.days, widths, strict=True))
    return use.version, use.machines, share, by_group, " ".join(days)
