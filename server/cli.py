"""``parity-server``: what an operator types.

An error is one line: what happened, and what to do; the exit code is then 1, and 2 for a
wrong command line.
"""

import sys

import click

from agent import __version__
from server import running, shown
from server.commands.activity import activity
from server.commands.common import PATH, with_settings
from server.commands.explain import explain
from server.commands.history import heads, share
from server.commands.keys import enrolment_secret, token
from server.commands.machines import machines
from server.commands.migrate import migrate
from server.commands.policy import policy
from server.commands.public import doctor, releases
from server.commands.reference import reference
from server.commands.replay import replay
from server.commands.settings import settings as list_settings
from server.commands.waivers import waiver
from server.errors import ServerError
from server.settings import Settings


def main() -> None:
    """Runs the command line and exits."""
    try:
        cli.main(prog_name="parity-server", standalone_mode=True)
    except ServerError as error:
        click.echo(f"parity-server: {shown.cell(error)}; {shown.cell(error.advice)}", err=True)
        sys.exit(1)


@click.group()
@click.version_option(__version__, prog_name="parity-server")
def cli() -> None:
    """Compares what staff laptops run with the exact public Claude Code."""


@cli.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 unless it is set.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--tls-cert", type=PATH, help="PEM file of the certificate.")
@click.option("--tls-key", type=PATH, help="PEM file of its key.")
@with_settings
def serve(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM; makes the SQLite database if there is none yet."""
    running.run(
        settings,
        lambda address: click.echo(f"listening on {address}"),
        lambda lack: click.echo(lack, err=True),
    )


cli.add_command(enrolment_secret, "enrolment-secret")
for command in (
    migrate,
    token,
    machines,
    waiver,
    reference,
    policy,
    share,
    releases,
    heads,
    activity,
    doctor,
    explain,
    list_settings,
    replay,
):
    cli.add_command(command)
