"""``settings``: every setting of the server, in a terminal."""

import textwrap
from collections.abc import Iterator

import click

from server import shown
from server.commands.common import in_json
from server.setting_reference import Setting, reference

_WIDTH = 100
"""Columns."""


@click.command()
@in_json
def settings(*, in_json: bool) -> None:
    """List every setting with its meaning and default.

    Its variable, kind, unit and range are told too.
    """
    known = reference()
    if in_json:
        shown.as_json(known)
        return
    for number, each in enumerate(known):
        if number:
            click.echo()
        for line in _lines(each):
            click.echo(line)


def _lines(setting: Setting) -> Iterator[str]:
    yield f"{setting.name}, {setting.variable}{'[_FILE]' if setting.kind == 'secret' else ''}"
    kind = ", ".join(each for each in (setting.kind, setting.unit, _range(setting)) if each)
    for text in (setting.meaning, f"{kind}; unless set: {_default(setting)}"):
        yield from textwrap.wrap(
            text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )


def _range(setting: Setting) -> str:
    return "" if setting.least is None else f"{setting.least:.10g} to {setting.greatest:.10g}"


def _default(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return str(setting.default).lower()
    if isinstance(setting.default, float):
        return f"{setting.default:.10g}"
    return shown.cell(setting.default) if setting.default is not None else "none"
