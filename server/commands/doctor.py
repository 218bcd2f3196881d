"""``doctor``: whether all is well with this server."""

import sys

import click

from server import doctor as examination
from server import shown
from server.commands.common import in_json, with_settings
from server.doctor import Check
from server.settings import Settings
from server.surroundings import clock, open_sources


@click.command()
@click.option(
    "--recount",
    is_flag=True,
    help="Also compare all counts with the machines themselves; takes longer the more there are.",
)
@in_json
@with_settings
def doctor(settings: Settings, *, recount: bool, in_json: bool) -> None:
    """Look whether all is well.

    Exits with 0 all is well or worth a warning, 1 something failed, 2 usage.
    """
    checks = examination.examine(settings, open_sources(settings), clock(), recount=recount)
    seen = []
    for check in checks:
        seen.append(check)
        if not in_json:
            click.echo(_line(check))
    if in_json:
        shown.as_json(seen)
    sys.exit(0 if all(check.is_well or check.is_warning for check in seen) else 1)


def _line(check: Check) -> str:
    state = "ok  " if check.is_well else "warn" if check.is_warning else "fail"
    advice = "" if check.is_well else f"; {check.advice}"
    return shown.cell(f"{state} {check.name}: {check.said}{advice}")
