"""What is kept of a program's arguments and variables: what was asked for, and nothing else. Pure.

A command line is read as Claude Code reads its own: a flag that takes a value takes the next
word, whatever that is, or what follows its ``=``; a word that is no flag is a prompt, a
command or another value of the flag before it, and is passed over; after ``--`` there are no
flags. No such word is ever kept. Of a flag given twice the last one counts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Part = Literal["arguments", "variables"]
"""One of the two that a program is started with."""

PART_MAX_BYTES = 131_072
"""Most that is read of either part, in bytes; beyond it none of that part is told."""

DENIED = "may not be read"
"""The reason where the system refuses."""

HIDDEN = "are not shown"
"""The reason where a program has overwritten them, or the system holds them back."""

LONG = "are longer than what is read"
"""The reason where `PART_MAX_BYTES` is not enough."""

Unread = tuple[Part, str]
"""What could not be seen, and why: `DENIED`, `HIDDEN` or `LONG`."""

Kept = tuple[str, str | None]
"""A name, and its value as far as that may be kept."""

_FLAG = re.compile(r"--[A-Za-z][A-Za-z-]*\Z|-[A-Za-z]\Z")


class Wanted(Protocol):
    """Says what may be taken."""

    def takes_value(self, flag: str) -> bool:
        """Whether the word after a flag is its value.

        Args:
            flag: As written, dashes included.
        """
        ...

    def flag(self, flag: str, value: str | None) -> Kept | None:
        """What is kept of a flag; None for nothing."""
        ...

    def variable(self, name: str, value: str) -> Kept | None:
        """What is kept of a variable; None for nothing."""
        ...

    def is_mode(self, word: str) -> bool:
        """Whether a first word is kept: it says what a process is for."""
        ...


@dataclass(frozen=True)
class Started:
    """With what a program was started, as far as it was asked for.

    Attributes:
        flags: Each with its value; None where there is none, or it is not kept.
        variables: The same.
        mode: The first word, where it is one that was asked for.
        unread: What could not be seen.
    """

    flags: Mapping[str, str | None] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)
    mode: str | None = None
    unread: tuple[Unread, ...] = ()


def own_arguments(arguments: Sequence[str], *, is_script: bool) -> Sequence[str] | None:
    """The arguments that are a program's own, its name first.

    Args:
        arguments: As the system tells them.
        is_script: Whether a runtime was started with them; then its own options and the script
            come before.

    Returns:
        None where they are not shown: a program may write its title over them, which leaves
        nothing but empty words after it.
    """
    if not arguments or [*arguments[-2:]] == ["", ""]:
        return None
    if not is_script:
        return arguments
    words = enumerate(arguments[1:], start=1)
    script = next((at for at, word in words if word and not word.startswith("-")), None)
    return None if script is None else arguments[script:]


def flags(arguments: Iterable[str], wanted: Wanted) -> dict[str, str | None]:
    """What is kept of a program's own arguments.

    Args:
        arguments: Without its name.
        wanted: What may be taken.
    """
    return dict(kept for kept in _flags(iter(arguments), wanted) if kept is not None)


def mode(arguments: Sequence[str], wanted: Wanted) -> str | None:
    """The word that says what a process is for: its first, or the second of its label.

    Args:
        arguments: A program's own, its name first; that may be a label of several words.
        wanted: Which words are kept.
    """
    words = (*arguments[0].split()[1:2], *arguments[1:2])
    return next((word for word in words if wanted.is_mode(word)), None)


def variables(pairs: Iterable[tuple[str, str]], wanted: Wanted) -> dict[str, str | None]:
    """What is kept of a program's variables; an empty one is not set."""
    kept = (wanted.variable(name, value) for name, value in pairs if value)
    return dict(each for each in kept if each is not None)


def _flags(words: Iterator[str], wanted: Wanted) -> Iterator[Kept | None]:
    for word in words:
        if word == "--":
            return
        name, equals, text = word.partition("=")
        if not _FLAG.match(name):
            continue
        if equals:
            yield wanted.flag(name, text)
        else:
            yield wanted.flag(name, next(words, None) if wanted.takes_value(name) else None)
