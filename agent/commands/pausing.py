"""``pause`` and ``resume``: the user's right to be left alone."""

import time

import click

from agent import length, lock, pausing, render
from agent.commands.common import Typed, enrolled, parts_of, pass_typed, print_lines
from agent.pause import Pause
from agent.pause_file import Pauses


# What begins with a dash and a digit is a length that cannot be, and no option.
@click.command(
    short_help="Look at nothing and send nothing for a while.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("length_s", metavar="LENGTH", callback=length.of_pause)
@pass_typed
def pause(typed: Typed, /, length_s: int) -> None:
    """Look at nothing and send nothing for a while: 30m, 2h, 1d; at most 7d.

    The server is told of it once, so that it does not take this machine for a silent one.

    Exits with 0, also where the server could not be told; 1 failure; 2 usage.
    """
    who = enrolled(typed.settings)
    with parts_of(typed) as parts:
        asked = pausing.ask(parts, who, length_s)
    print_lines(render.paused(asked.pause, int(time.time()), untold=asked.reason))


@click.command()
@pass_typed
def resume(typed: Typed) -> None:
    """End a pause: look and check in again.

    Exits with 0; 1 failure; 2 usage.
    """
    enrolled(typed.settings)
    state_dir = typed.settings.state_dir
    pauses = Pauses(state_dir)
    was_paused = pauses.file.exists()
    pauses.end()
    if not was_paused:
        click.echo("this machine was not paused")
        return
    click.echo("the pause has ended")
    if lock.is_held(state_dir / "daemon.lock"):
        click.echo("the running agent looks and checks in within seconds")
    else:
        click.echo("no agent is running; to look and check in, run: parity-agent check")


def current_pause(typed: Typed) -> Pause | None:
    """The pause that lasts now, if one does.

    Raises:
        IdentityError: The state folder cannot be read.
    """
    return Pauses(typed.settings.state_dir).current(int(time.time()))
