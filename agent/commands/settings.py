"""``settings``: every setting of the agent, in a terminal."""

from collections.abc import Iterator

import click

from agent import text
from agent.commands.common import in_json, print_json, print_lines
from agent.setting_reference import Setting, reference


@click.command(short_help="List every setting and what it means.")
@in_json
def settings(*, as_json: bool) -> None:
    """List every setting with its variable, meaning, kind, unit, range and default.

    Exits with 0; 1 failure; 2 usage.
    """
    known = reference()
    if as_json:
        print_json({"settings": known})
        return
    for number, each in enumerate(known):
        if number:
            click.echo()
        print_lines(_lines(each))


def _lines(setting: Setting) -> Iterator[str]:
    yield f"{setting.name}, {setting.variable}"
    kind = ", ".join(each for each in (setting.kind, setting.unit, _range(setting)) if each)
    for told in (setting.meaning, f"{kind}; unless set: {_default(setting)}"):
        yield from text.wrapped(told, "  ")


def _range(setting: Setting) -> str:
    return "" if setting.least is None else f"{setting.least:.10g} to {setting.greatest:.10g}"


def _default(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return str(setting.default).lower()
    if isinstance(setting.default, float):
        return f"{setting.default:.10g}"
    return text.plain(str(setting.default)) if setting.default is not None else "none"
