"""``migrate``: a database of this version; and from one kind of database to another."""

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from server.commands.common import with_settings
from server.errors import StoreError
from server.settings import Settings
from server.store import copying, schema
from server.store import engine as database
from server.store.interface import Limits
from server.surroundings import make_data_dir


@click.command()
@click.option("--to", "target", metavar="ADDRESS", help="Copy all to this empty database.")
@with_settings
def migrate(settings: Settings, target: str | None) -> None:
    """Make the database, or bring it up to this version.

    With --to, copy an installation whose server is stopped, such as
    postgresql://parity@host/parity: every row is compared, and the old database stays
    as it is. A password belongs into PGPASSWORD, PGPASSFILE or ~/.pgpass.
    """
    if target is None:
        make_data_dir(settings)
        done = database.migrate(settings.database)
        said = "is now" if done else "was already"
        click.echo(f"the database {said} at revision {schema.newest()}")
        return
    _check_secretless(target)
    for copied in _copy(settings.database, target):
        click.echo(f"{copied.table}: {copied.rows} rows")
    click.echo(f"all of it is in {database.named(target)}: set database_url to that address")


def _copy(source: str, target: str) -> tuple[copying.Copied, ...]:
    patient = Limits(statement_s=0)
    old = database.open_engine(source, patient)
    try:
        database.migrate(target)
        new = database.open_engine(target, patient)
        try:
            return copying.copy(old, new)
        finally:
            new.dispose()
    finally:
        old.dispose()


def _check_secretless(address: str) -> None:
    """Other users of this machine can read a command line.

    Raises:
        StoreError: There is a password in the address.
    """
    try:
        password = make_url(address).password
    except ArgumentError:
        return  # told when it is opened
    if password:
        raise StoreError(
            "the address holds a password, and others can read a command line",
            advice="leave it out, and name a file of passwords in PGPASSFILE",
        )
