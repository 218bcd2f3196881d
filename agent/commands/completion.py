"""``completion``: what a shell reads to complete the agent's commands, and how it is given."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from agent import settings as settings_module
from agent.errors import AgentError
from agent.journal import Journal, open_journal

PROGRAM = "parity-agent"
"""The command that is completed."""

SHELLS = ("bash", "zsh", "fish")
"""The shells that can be told."""


_HELP = """Print what bash, zsh or fish reads to complete commands, codes and findings.

\b
Keep what it prints:
bash  as ~/.local/share/bash-completion/completions/parity-agent
zsh   as _parity-agent, in a folder of your fpath
fish  as ~/.config/fish/completions/parity-agent.fish

Exits with 0; 2 usage.
"""


@click.command(help=_HELP, short_help="Print what a shell needs to complete words.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Prints click's own source for a shell."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(f"{shell} is not known")
    command, variable = context.find_root().command, f"_{PROGRAM}_COMPLETE"
    click.echo(kind(command, {}, PROGRAM, variable.replace("-", "_").upper()).source())


def kept_journal(context: click.Context) -> Iterator[Journal]:
    """The journal, where there is one, for a completion.

    A key pressed in a shell begins no journal, and never fails.
    """
    given = context.find_root().params.get("config")
    try:
        settings = settings_module.load(os.environ, Path(given) if given else None)
        if (settings.state_dir / "journal.db").exists():
            with closing(open_journal(settings.state_dir)) as journal:
                yield journal
    except AgentError:
        return
