"""Every setting with what it means, read off `Settings` itself, so that none can be left out."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import msgspec

from server.setting_values import LogLevel, Secret
from server.settings import LIMITS, PREFIX, URLS, Settings

_KINDS: Mapping[Any, str] = {
    Path: "absolute path",
    str: "text",
    Secret: "secret",
    bool: "true or false",
    float: "number",
    int: "whole number",
    LogLevel: f"one of {', '.join(get_args(LogLevel))}",
}

_UNITS = {"_s": "seconds", "_bytes": "bytes"}
"""By the end of a name."""


class Setting(msgspec.Struct, frozen=True):
    """One setting.

    Attributes:
        name: In a settings file.
        variable: In the environment; of a secret, ``<variable>_FILE`` names its file.
        meaning: In a sentence.
        kind: What may be written.
        unit: Of a number, where it has one.
        default: Its value for this user unless it is set.
        least: The least number.
        greatest: The greatest number.
    """

    name: str
    variable: str
    meaning: str
    kind: str
    unit: str | None
    default: bool | str | int | float | None
    least: float | None
    greatest: float | None


def reference() -> tuple[Setting, ...]:
    """All settings, in the order in which they are declared."""
    meanings, defaults = _meanings(), Settings()
    return tuple(
        Setting(
            each.name,
            PREFIX + each.name.upper(),
            meanings.get(each.name, ""),
            _kind(each.name, each.type),
            next((unit for end, unit in _UNITS.items() if each.name.endswith(end)), None),
            _plain(getattr(defaults, each.name)),
            *LIMITS.get(each.name, (None, None)),
        )
        for each in fields(Settings)
    )


def _meanings() -> dict[str, str]:
    """What the docstring says of each field (Google's style: name, colon, indented text)."""
    _, _, told = (inspect.getdoc(Settings) or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", told, flags=re.MULTILINE)
    return {name: " ".join(text.replace("``", "`").split()) for name, text in entries}


def _kind(name: str, annotation: Any) -> str:
    if name in URLS and annotation != Secret | None:
        return "web address"
    if annotation in _KINDS:
        return _KINDS[annotation]
    (inner,) = (each for each in get_args(annotation) if each is not NoneType)
    return _KINDS[inner]


def _plain(value: Any) -> bool | str | int | float | None:
    return str(value) if isinstance(value, Path) else value
