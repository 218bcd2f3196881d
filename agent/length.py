"""A length of time as a person types it: ``30m``, ``2h``, ``1d``."""

import re

import click

from agent.wire import PAUSE_MAX_S

_FORM = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}


def of_pause(_context: click.Context, _parameter: click.Parameter, typed: str) -> int:
    """Seconds of a pause, out of a command's argument.

    Raises:
        click.BadParameter: It is no length, none at all, or longer than a pause can be.
    """
    found = _FORM.fullmatch(typed.strip())
    if found is None:
        raise click.BadParameter(f"{typed!r} is no length of time like 30m, 2h or 1d")
    seconds = int(found[1]) * _UNITS[found[2]]
    if not 0 < seconds <= PAUSE_MAX_S:
        raise click.BadParameter(f"{typed!r} is not from 1m to {PAUSE_MAX_S // 86_400}d")
    return seconds
