"""How each key of a policy file is read, and which there are. Pure.

A reader is given a value of TOML and a way to complain; where it complains, what it returns is
not used. Lengths of time are written as people say them, with their unit; only 0 has none.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, get_args

from server.errors import RequestRefused
from server.policy import DEFAULT_GROUP, MACHINE, SURFACES, Lane, Surface
from server.said import check_group

UNITS: Mapping[str, int] = MappingProxyType({"s": 1, "m": 60, "h": 3_600, "d": 86_400})
"""Seconds in each unit."""

OVERRIDES_MAX = 200
"""Most patterns of allowed overrides in one group."""

PATTERN_MAX_CHARS = 120
"""Longest pattern of an allowed override, in characters: longer than any key."""

_YEAR_S = 365 * 86_400
_LENGTH = re.compile(r"([0-9]{1,9})([smhd])")
_POINTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")


class Complain(Protocol):
    """Takes what is wrong with a value."""

    def __call__(self, message: str, *inside: int) -> None:
        """Notes a mistake.

        Args:
            message: What is wrong and what is possible, going on from the key's name.
            inside: The position in the array, where only one element of it is wrong.
        """


Reader = Callable[[object, Complain], object]
"""Reads one value; what it returns after a complaint is not used."""


def duration(seconds: int) -> str | int:
    """A length of time as a policy file has it: in the largest unit that fits."""
    if not seconds:
        return 0
    unit = next(each for each in reversed(tuple(UNITS)) if seconds % UNITS[each] == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def nearest(word: str, known: tuple[str, ...]) -> str:
    """What to say to a word that is none of the known ones."""
    close = difflib.get_close_matches(word, known, 1)
    return f"did you mean {close[0]}?" if close else f"known are: {', '.join(known)}"


def group_name(name: str) -> str | None:
    """What is wrong with the name of a group; None if nothing is."""
    if name == DEFAULT_GROUP:
        return f"is written [{DEFAULT_GROUP}]"
    try:
        check_group(name)
    except RequestRefused as refused:
        return f"cannot name a group; {refused.advice}"
    return None


def _length(low_s: int, high_s: int) -> Reader:
    def read(value: object, complain: Complain) -> int:
        if value == 0 and type(value) is int:
            seconds = 0
        elif isinstance(value, str) and (found := _LENGTH.fullmatch(value)):
            seconds = int(found[1]) * UNITS[found[2]]
        else:
            complain('must be a length of time with its unit, like "90m", "24h" or "3d"')
            return 0
        if not low_s <= seconds <= high_s:
            complain(f"must be from {duration(low_s)} to {duration(high_s)}")
        return seconds

    return read


def _channel(value: object, complain: Complain) -> str:
    if isinstance(value, str) and _POINTER.fullmatch(value):
        return value
    complain(f'must be the name of a public pointer, like "latest" or "stable", or "{MACHINE}"')
    return ""


def _word(known: tuple[str, ...]) -> Reader:
    def read(value: object, complain: Complain) -> object:
        if value not in known:
            complain(f"must be one of {', '.join(map(_quoted, known))}")
        return value

    return read


def _surfaces(value: object, complain: Complain) -> frozenset[Surface]:
    if not isinstance(value, list) or not value:
        complain(f"must be a list of some of {', '.join(map(_quoted, SURFACES))}")
        return frozenset()
    if len(value) > len(SURFACES):
        complain(f"names more than the {len(SURFACES)} that there are")
        return frozenset()
    for number, item in enumerate(value):
        if item not in SURFACES:
            said = nearest(item, SURFACES) if isinstance(item, str) else "it must be text"
            complain(f"is no surface; {said}", number)
    return frozenset(item for item in SURFACES if item in value)


def _patterns(value: object, complain: Complain) -> tuple[str, ...]:
    if not isinstance(value, list):
        complain('must be a list of patterns of keys, like ["effortLevel", "CLAUDE_CODE_*"]')
        return ()
    if len(value) > OVERRIDES_MAX:
        complain(f"has more than {OVERRIDES_MAX} patterns")
    for number, item in enumerate(value):
        is_pattern = isinstance(item, str) and 0 < len(item) <= PATTERN_MAX_CHARS
        if not (is_pattern and item.isprintable()):
            complain(f"must be one line of 1 to {PATTERN_MAX_CHARS} characters", number)
    return tuple(str(item) for item in value)


def _flag(value: object, complain: Complain) -> bool:
    if not isinstance(value, bool):
        complain("must be true or false")
    return value is True


def _share(value: object, complain: Complain) -> float:
    share = -1.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    elif isinstance(value, str) and (found := _PERCENT.fullmatch(value)):
        share = float(found[1]) / 100
    if not 0 <= share <= 1:
        complain('must be a share from 0 to 1, like 0.9 or "90%"')
    return share


def _quoted(word: str) -> str:
    return f'"{word}"'


NAMES: Mapping[str, tuple[str, Reader]] = MappingProxyType(
    {
        "channel": ("channel", _channel),
        "grace": ("grace_s", _length(0, _YEAR_S)),
        "head_max_age": ("head_max_age_s", _length(900, 30 * 86_400)),
        "silent_after": ("silent_after_s", _length(3_600, _YEAR_S)),
        "enrolled_grace": ("enrolled_grace_s", _length(0, 90 * 86_400)),
        "surfaces": ("surfaces", _surfaces),
        "allowed_overrides": ("allowed_overrides", _patterns),
        "lane": ("lane", _word(get_args(Lane))),
        "trust_learned": ("trust_learned", _flag),
        "target_share": ("target_share", _share),
    }
)
"""By key: the field of `server.policy.GroupPolicy` that it fills, and its reader."""

TOLERANCE = "tolerance"
"""The key of the table inside a group's table."""

TOLERANCES: Mapping[str, tuple[str, Reader]] = MappingProxyType(
    {
        surface: (f"{surface}_tolerance_s", _length(0, _YEAR_S))
        for surface in SURFACES
        if surface != "terminal"
    }
)
"""The same for the keys of the table `TOLERANCE`; the terminal's is ``grace``."""
