"""``pause`` and ``resume``: the user's right to be left alone."""

import time

import click

from agent import length, pausing, render
from agent.commands.common import Typed, enrolled, parts_of, pass_typed, print_lines
from agent.pause import Pause
from agent.pause_file import Pauses


@click.command()
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
    was_paused = current_pause(typed) is not None
    Pauses(typed.settings.state_dir).end()
    click.echo("the pause has ended" if was_paused else "this machine was not paused")
    click.echo("a running agent looks and checks in within seconds; or run: parity-agent check")


def current_pause(typed: Typed) -> Pause | None:
    """The pause that lasts now, if one does.

    Raises:
        IdentityError: The state folder cannot be read.
    """
    return Pauses(typed.settings.state_dir).current(int(time.time()))
