"""``backup`` and ``restore``: a copy of the database, and the way back."""

from pathlib import Path

import click

from server import backup as files
from server import shown
from server.commands.common import PATH, with_settings
from server.settings import Settings
from server.store.restores import Resumed
from server.surroundings import clock, make_data_dir


@click.command()
@click.argument("target", metavar="FILE", type=PATH)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@with_settings
def backup(settings: Settings, target: Path, *, force: bool) -> None:
    """Copy the SQLite database into FILE.

    The copy is whole and of one moment; the server may be running.

    The file holds what the database holds (labels, owners, hashes of tokens): it is made for this
    user alone, and belongs in as safe a place. A copy of the database's files by other means is
    no backup while a server writes to them.

    PostgreSQL is copied by its own tools: `pg_dump --format=custom` for a copy of one moment,
    `pg_basebackup` with archived logs for any moment. After putting such a copy back run
    `parity-server migrate`, then `parity-server restore --by-other-tools`.
    """
    size = files.make(settings.database, target.absolute(), clock(), force=force)
    click.echo(f"{shown.cell(target)}: {size:,} bytes", err=True)


@click.command()
@click.argument("source", metavar="[FILE]", type=PATH, required=False)
@click.option(
    "--by-other-tools", is_flag=True, help="The database was put back already; make it fit."
)
@with_settings
def restore(settings: Settings, source: Path | None, *, by_other_tools: bool) -> None:
    """Put the backup FILE in the place of the database.

    It is a SQLite database, and no server may be running.

    The old database stays beside it. Laptops find their way by themselves: whoever told more than
    the backup knows is asked to tell anew at its next check-in. Until then it counts as it stood
    at the backup. The time between has no history.

    Messages that waited at the backup are not sent, since they may have been sent after it. What
    changed after the backup may be told a second time.

    Machines that enrolled after the backup are unknown here: they go on asking, and need
    `parity-agent enrol --again`. What was revoked after the backup is revoked again if the old
    database can still be read; if it cannot, revoke it by hand. A machine that was forgotten after
    the backup is there again: forget it once more.
    """
    if by_other_tools == (source is not None):
        raise click.UsageError("name a backup, or give --by-other-tools; not both")
    if source is None:
        _tell(files.by_other_tools(settings.database, clock()), is_known=False)
        return
    make_data_dir(settings)
    done = files.put_back(settings.database, source.absolute(), clock())
    if done.aside is not None:
        click.echo(f"the old database is {shown.cell(done.aside)}", err=True)
    _tell(done.resumed, is_known=done.is_known)


def _tell(resumed: Resumed, *, is_known: bool) -> None:
    click.echo(files.said(resumed, clock()), err=True)
    if is_known:
        click.echo(f"revoked again: {resumed.revoked}", err=True)
    else:
        click.echo(
            "what was revoked after the backup holds again: see parity-server token list,"
            " enrolment-secret list and machines list",
            err=True,
        )
