"""How one written setting becomes a value: a reader for each annotation. Pure.

A reader raises ValueError or TypeError with words that go on from the setting's name; the
value itself is told only where it is a number, since any text could be a secret.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True)
class Secret:
    """A value that no log, message or print shows.

    Attributes:
        value: The value itself, for the one place that uses it.
    """

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "(not shown)"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise TypeError("must be one line of text")
    return value


def as_url(value: object) -> str:
    """A web address.

    Raises:
        TypeError: It is not a line of text.
        ValueError: It is no web address.
    """
    url = _text(value)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment:
        # The value may be a secret, so it is not told.
        raise ValueError("is not an address like https://host/path")
    return url


def _path(value: object) -> Path:
    path = Path(_text(str(value) if isinstance(value, Path) else value)).expanduser()
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value == "true"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("must be a number")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError("must be a number") from None


def _whole(value: object) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError("must be a whole number")
    return int(number)


def _level(value: object) -> str:
    if value not in get_args(LogLevel):
        raise ValueError(f"must be one of {', '.join(get_args(LogLevel))}")
    return str(value)


READERS: Mapping[Any, Callable[[object], object]] = {
    Path: _path,
    Path | None: _path,
    str: _text,
    str | None: _text,
    Secret | None: lambda value: Secret(_text(value)),
    bool: _flag,
    float: _number,
    int: _whole,
    LogLevel: _level,
}
"""By annotation: what reads a setting of that type."""
