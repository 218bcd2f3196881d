"""What all commands share: what was typed, the parts of one command, and how it prints.

Standard output holds what was asked for, standard error everything else: progress, prompts
and notes.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import click
import msgspec

from agent import identity, text
from agent.cycle import Parts
from agent.errors import AgentError, IdentityError
from agent.identity import Identity
from agent.journal import Journal, open_journal
from agent.progress import Progress
from agent.settings import Settings

in_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
"""Adds --json to a command."""


@dataclass(frozen=True)
class Typed:
    """What every command is given.

    Attributes:
        settings: As read.
        environment: The variables of the process.
    """

    settings: Settings
    environment: Mapping[str, str]


pass_typed = click.make_pass_decorator(Typed)
"""Gives a command what was typed, first of its arguments."""


def enrolled(settings: Settings) -> Identity:
    """Who this machine is.

    Raises:
        IdentityError: It is not enrolled, or its identity cannot be read.
    """
    who = identity.load(settings.state_dir)
    if who is None:
        raise IdentityError(
            "this machine is not enrolled", advice="run: parity-agent enrol --server https://..."
        )
    return who


@contextmanager
def journal_of(typed: Typed) -> Iterator[Journal]:
    """The journal, for one command.

    Raises:
        JournalError: It cannot be used.
    """
    with closing(open_journal(typed.settings.state_dir)) as journal:
        yield journal


@contextmanager
def parts_of(typed: Typed) -> Iterator[Parts]:
    """What a cycle is made of, with its progress shown on standard error."""
    with closing(Progress(sys.stderr)) as progress:
        yield Parts(typed.settings, typed.environment, progress)


def print_lines(lines: Iterable[str | bytes]) -> None:
    """Prints a text for people.

    A reader who has read enough and closed the pipe is no failure.

    Raises:
        AgentError: Standard output cannot be written.
    """
    for line in lines:
        try:
            click.echo(line)
        except BrokenPipeError:
            _print_no_more()
            return
        except OSError as error:
            _print_no_more()
            raise AgentError(
                f"standard output cannot be written: {error.strerror}",
                advice="make room there, or let it be written elsewhere",
            ) from error


def print_json(value: Mapping[str, Any]) -> None:
    """Prints one JSON object, indented.

    Raises:
        AgentError: Standard output cannot be written.
    """
    print_lines([msgspec.json.format(msgspec.json.encode(value), indent=2)])


def _print_no_more() -> None:
    # What is still buffered would fail again as the interpreter ends, with an exit code of its
    # own (docs.python.org, signal: note on SIGPIPE).
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def print_error(error: AgentError) -> None:
    """Prints an error's two lines: what happened, and what to do."""
    click.echo(f"parity-agent: {text.plain(error)}", err=True)
    click.echo(f"what to do: {text.plain(error.advice)}", err=True)


def columns() -> int:
    """How wide the terminal is that is printed to; `text.WIDTH` where it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or text.WIDTH
    except (OSError, ValueError):
        return text.WIDTH


def use_colour() -> bool:
    """Whether the terminal shows colours and its user wants them."""
    # https://no-color.org: present and not empty means none.
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
