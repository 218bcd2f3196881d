"""``parity-server``: what an operator types.

An error is one line: what happened, and what to do; the exit code is then 1, and 2 for a
wrong command line. A command's module is imported when it is asked for: whoever lists tokens
loads no web server.
"""

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import click

from agent import __version__
from server import shown
from server.errors import ServerError

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "serve": "serve",
        "migrate": "migrate",
        "enrolment-secret": "keys",
        "token": "keys",
        "machines": "machines",
        "waiver": "waivers",
        "reference": "reference",
        "policy": "policy",
        "share": "history",
        "heads": "history",
        "releases": "releases",
        "versions": "versions",
        "activity": "activity",
        "doctor": "doctor",
        "explain": "explain",
        "settings": "settings",
        "replay": "replay",
        "backup": "keeping",
        "restore": "keeping",
    }
)
"""Each command's module; within it the command has the same name."""


class _Commands(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        module = _COMMANDS.get(name)
        if module is None:
            return None
        found = importlib.import_module(f"server.commands.{module}")
        return cast("click.Command", getattr(found, name.replace("-", "_")))


def main() -> None:
    """Runs the command line and exits."""
    try:
        cli.main(prog_name="parity-server", standalone_mode=True)
    except ServerError as error:
        click.echo(f"parity-server: {shown.cell(error)}; {shown.cell(error.advice)}", err=True)
        sys.exit(1)


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="parity-server")
def cli() -> None:
    """Compares what staff laptops run with the exact public Claude Code."""
