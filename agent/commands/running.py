"""``run``: the daemon, in this process."""

import click

from agent import daemon, logs
from agent.commands.common import Typed, pass_typed
from agent.cycle import Parts


@click.command()
@pass_typed
def run(typed: Typed) -> None:
    """Run the daemon until it is told to end.

    Exits with 0 when it is ended by SIGTERM or Ctrl-C; 1 failure; 2 usage.
    """
    logs.configure_daemon(typed.settings)
    daemon.run(Parts(typed.settings, typed.environment))
