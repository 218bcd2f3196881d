"""``activity``: how much builds are used, and how much of that is what users have."""

from collections.abc import Iterator

import click

from server import shown
from server.commands.common import in_json, with_settings
from server.commands.database import reading
from server.commands.known import current_of
from server.settings import Settings
from server.shown import moment
from server.surroundings import clock
from server.views.activity import DAYS, DAYS_MAX, ActivityView, Use
from server.views.api import facts

_HOUR_S = 3_600


@click.command()
@click.option("--group", help="Only use in this group.")
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=DAYS,
    show_default=True,
    help="So many days, today included.",
)
@in_json
@with_settings
def activity(settings: Settings, group: str | None, days: int, *, in_json: bool) -> None:
    """Show how much builds are used, by group and version.

    Nothing of it is of one machine.
    """
    with reading(settings) as conn:
        told = facts.used(conn, current_of(conn), days, clock(), group)
    if in_json:
        shown.as_json(told)
        return
    click.echo(f"since {moment(told.since)}")
    shown.as_table(("used", "surface", "hours", "starts", "on the public build"), list(_rows(told)))


def _rows(told: ActivityView) -> Iterator[tuple[object, ...]]:
    yield (told.group or "all groups", None, *_cells(told.use))
    for name, use in told.groups.items():
        yield (name, None, *_cells(use))
    for line in told.builds:
        yield (line.version, line.surface, *_cells(line))


def _cells(use: Use) -> tuple[str, int, str]:
    known = use.share is not None
    share = f"{use.share:.1%}" if known else "not known"
    undecided = f", {_hours(use.undecided_s)} h not known" if known and use.undecided_s else ""
    return _hours(use.use_s), use.starts, share + undecided


def _hours(seconds: int) -> str:
    return f"{seconds / _HOUR_S:.1f}"
