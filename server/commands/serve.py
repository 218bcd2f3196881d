"""``serve``: the server itself."""

import click

from server import running
from server.commands.common import PATH, with_settings
from server.settings import Settings


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 unless it is set.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--tls-cert", type=PATH, help="PEM file of the certificate.")
@click.option("--tls-key", type=PATH, help="PEM file of its key.")
@with_settings
def serve(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM.

    The SQLite database is made if there is none yet.
    """
    running.run(
        settings,
        lambda address: click.echo(f"listening on {address}"),
        lambda lack: click.echo(lack, err=True),
    )
