"""``releases``: what is public, as this server knows it."""

from collections.abc import Iterator

import click
from sqlalchemy import Connection

from server import shown
from server.commands.common import in_json, with_settings
from server.commands.database import opened, reading
from server.current import Current
from server.releases.syncer import Syncer
from server.settings import Settings
from server.shown import moment
from server.store import public
from server.store.signing_keys import SigningKeys
from server.store.writer import Writer
from server.surroundings import clock, open_sources
from server.views.releases import ReleasesView, ReleaseView, view

DAYS_SHOWN = 30
"""How many days of releases are shown, and refreshed, unless others are asked for."""

DAYS_MAX = 3_650

_DAY_S = 24 * 3_600


@click.command()
@click.option("--refresh", is_flag=True, help="Read the sources first; not beside a server.")
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=DAYS_SHOWN,
    show_default=True,
    help="Releases of so many days.",
)
@click.option("--all", "every", is_flag=True, help="Every release; --refresh reads --days alone.")
@in_json
@with_settings
def releases(settings: Settings, *, refresh: bool, days: int, every: bool, in_json: bool) -> None:
    """Show the latest releases, as the server knows them.

    Those that a channel points to are among them, however old.
    """
    since = clock() - days * _DAY_S
    if refresh:
        _refresh(settings, since)
    with reading(settings) as conn:
        known = view(public.load_ledger(conn), since=None if every else since)
        unreachable = list(_unreachable(conn))
    for line in unreachable:
        click.echo(line, err=True)
    if in_json:
        shown.as_json(known)
    else:
        _print(known)


def _refresh(settings: Settings, since: int) -> None:
    with opened(settings) as engine:
        writer = Writer(engine)
        try:
            with engine.connect() as conn:
                current = Current(public.load_ledger(conn))
            # Verdicts are judged by it when the server starts: its first pass takes in all.
            sources = open_sources(settings, SigningKeys(engine, writer))
            Syncer(sources, writer, current, clock).refresh(since)
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
            ", ".join((*release.channels, *(("(withdrawn)",) if release.withdrawn_at else ()))),
            ", ".join(sorted({file.platform or file.form for file in release.files})),
            ", ".join(_trusts(release)),
            (release.commit or "")[:12],
        )
        for release in known.releases
    ]
    shown.as_table(("version", "published", "head of", "platforms", "trust", "commit"), rows)


def _trusts(release: ReleaseView) -> list[str]:
    """How its files' digests are established, by the best word on each: they come best first."""
    best: dict[tuple[str | None, str], str] = {}
    for file in release.files:
        best.setdefault((file.platform, file.form), file.trust)
    return sorted(set(best.values()))
