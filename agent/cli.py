"""``parity-agent``: what a person types.

Only the commands print and exit. Standard output holds what was asked for, standard error
everything else: progress and the two lines of an error (what happened; what to do).

A command's module is imported when it is asked for: the daemon, which runs all day, holds no
code of the others.
"""

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

import click

from agent import __version__, logs, text
from agent import settings as settings_module
from agent.commands.common import Typed, columns, print_error
from agent.errors import AgentError
from agent.service.written import variables as service_variables

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "enrol": "enrolling",
        "check": "verdict",
        "status": "verdict",
        "explain": "explain",
        "fix": "fix",
        "show": "show",
        "pause": "pausing",
        "resume": "pausing",
        "run": "running",
        "service": "service",
        "doctor": "doctor",
        "settings": "settings",
        "completion": "completion",
        "uninstall": "uninstall",
    }
)
"""Each command's module; within it the command has the same name."""

_OF_NO_LAPTOP = frozenset({"settings", "completion"})
"""Commands that tell of the agent alone: they help where a setting is wrong, too."""


class _Commands(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        module = _COMMANDS.get(name)
        if module is None:
            return None
        found = getattr(importlib.import_module(f"agent.commands.{module}"), name)
        return cast("click.Command", found)


def main() -> None:
    """Runs the command line and exits; an expected error is two lines and the code 1."""
    try:
        cli.main(prog_name="parity-agent", standalone_mode=True)
    except AgentError as error:
        print_error(error)
        sys.exit(1)


@click.group(cls=_Commands)
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
    if context.invoked_subcommand in _OF_NO_LAPTOP:
        return
    text.fit(columns())
    environment = dict(os.environ)
    context.obj = Typed(settings_module.load(environment, config), environment)
    logs.configure_command(context.obj.settings)
