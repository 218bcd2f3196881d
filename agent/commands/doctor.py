"""``doctor``: whether the agent can do its work here, and what to do where it cannot."""

from pathlib import Path

import click

from agent import examination, examining
from agent.commands.common import (
    Typed,
    in_json,
    pass_typed,
    print_json,
    print_lines,
    use_colour,
)
from agent.examination import Examined
from agent.examining import Asked
from agent.text import painted, plain, wrapped

_NAME_WIDTH = 23
_INDENT = " " * (4 + 2 + _NAME_WIDTH + 2)
_TONES = {"ok": "match", "warn": "pending", "fail": "drift"}


@click.command(short_help="Look whether the agent can do its work here.")
@in_json
@click.pass_context
@pass_typed
def doctor(typed: Typed, context: click.Context, *, as_json: bool) -> None:
    """Look whether the agent can read, reach and write what it needs.

    Asks the server for its version and for this machine's standing; sends nothing else, and
    changes nothing. In a pause it does not ask, nor look at Claude Code.

    Exits with 0 all is well or worth a warning, 1 something failed, 2 usage.
    """
    config: Path | None = context.find_root().params.get("config")
    found = []
    for each in examining.everything(Asked(typed.settings, typed.environment, config)):
        found.append(each)
        if not as_json:
            print_lines(_lines(each, colour=use_colour()))
    if as_json:
        print_json({"well": examination.is_healthy(found), "checks": found})
    context.exit(0 if examination.is_healthy(found) else 1)


def _lines(each: Examined, *, colour: bool) -> list[str]:
    word = painted(each.verdict.ljust(4), _TONES[each.verdict], colour=colour)
    lines = [f"{word}  {each.name.ljust(_NAME_WIDTH)}  {plain(each.seen)}"]
    return lines + (wrapped(f"what to do: {each.advice}", _INDENT) if each.advice else [])
