"""``releases`` and ``doctor``: what is public, and whether all is well with this server."""

import sys
from collections.abc import Iterator

import click
from sqlalchemy import Connection

from server import doctor as examination
from server import shown
from server.commands.common import in_json, opened, reading, with_settings
from server.current import Current
from server.doctor import Check
from server.releases.syncer import Syncer
from server.running import clock, open_sources
from server.settings import Settings
from server.shown import moment
from server.store import public
from server.store.writer import Writer
from server.views.releases import ReleasesView, ReleaseView, view

RELEASES_SHOWN = 30
"""How many releases are shown: the newest ones."""


@click.command()
@click.option("--refresh", is_flag=True, help="Read the sources first; not beside a server.")
@in_json
@with_settings
def releases(settings: Settings, *, refresh: bool, in_json: bool) -> None:
    """Show the newest releases, as the server knows them."""
    if refresh:
        _refresh(settings)
    with reading(settings) as conn:
        known = view(public.load_ledger(conn), RELEASES_SHOWN)
        unreachable = list(_unreachable(conn))
    for line in unreachable:
        click.echo(line, err=True)
    if in_json:
        shown.as_json(known)
    else:
        _print(known)


@click.command()
@in_json
@with_settings
def doctor(settings: Settings, *, in_json: bool) -> None:
    """Look whether all is well; exit code 1 if something is to be done."""
    checks = examination.examine(settings, open_sources(settings), clock())
    seen = []
    for check in checks:
        seen.append(check)
        if not in_json:
            click.echo(_line(check))
    if in_json:
        shown.as_json(seen)
    sys.exit(0 if all(check.is_well for check in seen) else 1)


def _refresh(settings: Settings) -> None:
    with opened(settings) as engine:
        writer = Writer(engine)
        try:
            with engine.connect() as conn:
                current = Current(public.load_ledger(conn))
            # Verdicts are judged by it when the server starts: its first pass takes in all.
            Syncer(open_sources(settings), writer, current, clock).read_heads()
        finally:
            writer.close()


def _unreachable(conn: Connection) -> Iterator[str]:
    for item in public.health(conn):
        if item.state != "ok":
            yield (
                f"source {item.source}: {shown.cell(item.error)}; last read {moment(item.read_at)}"
            )


def _print(known: ReleasesView) -> None:
    rows = [
        (
            release.version,
            moment(release.published_at),
            ", ".join(release.channels),
            _files(release),
            ", ".join(sorted({file.trust for file in release.files})),
            (release.commit or "")[:12],
        )
        for release in known.releases
    ]
    shown.as_table(("version", "published", "head of", "platforms", "trust", "commit"), rows)


def _files(release: ReleaseView) -> str:
    return ", ".join(sorted({file.platform or file.form for file in release.files}))


def _line(check: Check) -> str:
    state = "ok  " if check.is_well else "DO  "
    advice = "" if check.is_well else f"; {check.advice}"
    return shown.cell(f"{state} {check.name}: {check.said}{advice}")
