"""What the value of a setting may be, by its kind: read out of TOML or a variable's text.

Each reader raises TypeError or ValueError with words that follow the setting's name.
"""

import os
from pathlib import Path

PATHS_MAX = 50
"""Most paths of one setting."""

PIDS_MAX = 64
"""Most processes named in one setting."""


def text(value: object) -> str:
    """One line of printable text.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str) or not value or not value.isprintable():
        raise TypeError("must be one line of text")
    return value


def path(value: object) -> Path:
    """An absolute path; ``~`` is the user's home.

    Raises:
        TypeError: It is no text.
        ValueError: It is relative.
    """
    found = Path(text(value)).expanduser()
    if not found.is_absolute():
        raise ValueError("must be an absolute path")
    return found


def paths(value: object) -> tuple[Path, ...]:
    """A list of paths; in a variable they are divided as ``PATH`` is.

    Raises:
        TypeError: It is none, or a long one.
        ValueError: One of them is relative.
    """
    found = value.split(os.pathsep) if isinstance(value, str) else value
    if not isinstance(found, list) or len(found) > PATHS_MAX:
        raise TypeError(f"must be a list of at most {PATHS_MAX} paths")
    return tuple(path(each) for each in found)


def number(value: object) -> float:
    """A number, also one written as text.

    Raises:
        TypeError: It is no number, nor text.
        ValueError: The text is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("must be a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError("must be a number") from None


def whole(value: object) -> int:
    """A whole number.

    Raises:
        TypeError: It is no number, nor text.
        ValueError: It is not whole.
    """
    found = number(value)
    if not found.is_integer():
        raise ValueError("must be a whole number")
    return int(found)


def switch(value: object) -> bool:
    """True or false.

    Raises:
        TypeError: It is neither.
    """
    if not isinstance(value, bool | str) or value not in {True, False, "true", "false"}:
        raise TypeError("must be true or false")
    return value in {True, "true"}


def pids(value: object) -> tuple[int, ...]:
    """Process numbers; in a variable they are divided by commas.

    Raises:
        TypeError: It is no list of numbers.
        ValueError: They are too many, or one is none of a process.
    """
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list):
        raise TypeError("must be process numbers, as in 41,42")
    found = tuple(whole(word) for word in words)
    if len(found) > PIDS_MAX or any(pid < 1 for pid in found):
        raise ValueError(f"must be at most {PIDS_MAX} process numbers above 0")
    return found
