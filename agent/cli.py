"""``parity-agent``: what a person types.

Only the commands print and exit. Standard output holds what was asked for, standard error
everything else: progress and the two lines of an error (what happened; what to do).
"""

import os
import sys
from pathlib import Path

import click

from agent import __version__, logs
from agent import settings as settings_module
from agent.commands.common import Typed, print_error
from agent.commands.completion import completion
from agent.commands.doctor import doctor
from agent.commands.enrolling import enrol
from agent.commands.explain import explain
from agent.commands.fix import fix
from agent.commands.pausing import pause, resume
from agent.commands.running import run
from agent.commands.service import service
from agent.commands.show import show
from agent.commands.uninstall import uninstall
from agent.commands.verdict import check, status
from agent.errors import AgentError
from agent.service.written import variables as service_variables


def main() -> None:
    """Runs the command line and exits; an expected error is two lines and the code 1."""
    try:
        cli.main(prog_name="parity-agent", standalone_mode=True)
    except AgentError as error:
        print_error(error)
        sys.exit(1)


@click.group()
@click.version_option(__version__, prog_name="parity-agent")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file, instead of the usual one."
)
@click.option(
    "--variables",
    type=click.Path(path_type=Path),
    hidden=True,
    help="Variables of a service whose manager gives it none.",
)
@click.pass_context
def cli(context: click.Context, config: Path | None, variables: Path | None) -> None:
    """Tells whether the Claude Code on this machine is the exact public release."""
    if variables is not None:
        os.environ.update(service_variables(variables))
    environment = dict(os.environ)
    context.obj = Typed(settings_module.load(environment, config), environment)
    logs.configure_command(context.obj.settings)


for command in (
    enrol,
    check,
    status,
    explain,
    fix,
    show,
    pause,
    resume,
    run,
    completion,
    service,
    doctor,
    uninstall,
):
    cli.add_command(command)
