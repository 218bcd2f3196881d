"""The commands of a shell text, as values. Pure."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Assignment:
    """``NAME=value`` or ``NAME+=value``; the value is a word, or an array in brackets."""

    name: str
    appends: bool
    value: str


@dataclass(frozen=True)
class Simple:
    """A command with its arguments, after any assignments."""

    assignments: tuple[Assignment, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class AndOr:
    """Commands joined by ``&&`` and ``||``: each operator stands before its command."""

    first: "Command"
    rest: tuple[tuple[str, "Command"], ...]


@dataclass(frozen=True)
class Not:
    """A command whose answer is turned round."""

    command: "Command"


@dataclass(frozen=True)
class Apart:
    """Commands in a process of their own: they change nothing here."""

    commands: tuple["Command", ...]


@dataclass(frozen=True)
class Group:
    """Commands in order; the last one's answer is the group's."""

    commands: tuple["Command", ...]


@dataclass(frozen=True)
class If:
    """Branches of condition and body, and what is done if none holds."""

    branches: tuple[tuple[Group, Group], ...]
    otherwise: Group | None


@dataclass(frozen=True)
class For:
    """A loop over words."""

    name: str
    words: tuple[str, ...]
    body: Group


@dataclass(frozen=True)
class Loop:
    """``while`` or ``until``: how often is not known."""

    body: Group


@dataclass(frozen=True)
class Case:
    """A word against patterns."""

    word: str
    arms: tuple[tuple[tuple[str, ...], Group], ...]


@dataclass(frozen=True)
class Function:
    """A function's definition."""

    name: str
    body: "Command"


Command: TypeAlias = Simple | AndOr | Not | Apart | Group | If | For | Loop | Case | Function


@dataclass(frozen=True)
class Script:
    """What a text says.

    Attributes:
        body: Its commands.
        leftover: Lines that were not understood.
    """

    body: Group
    leftover: tuple[str, ...] = ()
