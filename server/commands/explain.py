"""``explain``: what the words of a verdict mean, in a terminal."""

import difflib
import textwrap
from collections.abc import Iterable, Iterator

import click

from agent.wire import Meaning
from server import shown
from server.commands.common import in_json
from server.meanings import meanings

_WIDTH = 100
"""Columns."""


@click.command()
@click.argument("word", metavar="[CODE]", required=False)
@in_json
def explain(word: str | None, *, in_json: bool) -> None:
    """Explain a standing or a finding such as build-behind.

    Without one, explain all of them.
    """
    known = meanings()
    if word is None:
        told: tuple[Meaning, ...] = known.all
    else:
        told = known.of(word) or _refused(word, (each.word for each in known.all))
    if in_json:
        shown.as_json(told)
        return
    for number, each in enumerate(told):
        if number:
            click.echo()
        for line in _lines(each):
            click.echo(line)


def _refused(word: str, words: Iterable[str]) -> tuple[Meaning, ...]:
    near = difflib.get_close_matches(word, sorted(set(words)), cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else "parity-server explain lists all"
    raise click.BadParameter(f"{shown.cell(word)!r} is no word of a verdict; {advice}")


def _lines(meaning: Meaning) -> Iterator[str]:
    yield f"{meaning.word} ({meaning.kind})"
    yield from _wrapped(meaning.says)
    yield from _wrapped(f"what to do: {meaning.mend}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
