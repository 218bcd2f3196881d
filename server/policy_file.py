"""Reads the operator's policy file: what each group is expected to run, in people's words. Pure.

The file is TOML: a table ``[default]``, and one ``[groups.NAME]`` for every group that differs,
which has the default's value for each key that it does not name. Nothing is guessed and nothing
ignored: a file with a mistake is refused whole, and all of its mistakes are told at once, each
with the line and key where it stands. ``install/server/policy.toml`` shows every key.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from server.errors import ServerError
from server.policy import DEFAULT_GROUP, GroupPolicy, Policies
from server.policy_values import (
    NAMES,
    TOLERANCE,
    TOLERANCES,
    Complain,
    Reader,
    group_name,
    nearest,
)
from server.toml_lines import Place, UnboundedError, lines_of

FILE_MAX_BYTES = 262_144
"""Largest policy file, in bytes."""

GROUPS_MAX = 1_000
"""Most groups with a policy of their own."""

COMPLAINTS_MAX = 100
"""Most mistakes told of one file."""

MEANT = 0.8
"""How near a word has to be (difflib's ratio) to be read as the one that was meant."""

_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, order=True)
class Complaint:
    """One mistake in a policy file.

    Attributes:
        line: Where it stands, counted from 1.
        key: The key as it would be written in full; empty where it is about no key.
        message: What is wrong and what is possible, going on from the key's name.
    """

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}: " + (f"{self.key}: " if self.key else "") + self.message


class PolicyError(ServerError):
    """A policy file cannot be used.

    Attributes:
        complaints: The mistakes, in the order of the lines; at most `COMPLAINTS_MAX`.
    """

    def __init__(self, name: str, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints)[:COMPLAINTS_MAX])
        first, *more = (f"{name}:{each}" for each in self.complaints)
        others = f" (and {len(more)} more)" if more else ""
        super().__init__(f"{first}{others}", advice=f"see parity-server policy check {name}")


def read(data: bytes, name: str) -> Policies:
    """The policies that a file states.

    Args:
        data: The file's bytes.
        name: How messages call the file.

    Raises:
        PolicyError: Something in it cannot be used.
    """
    text = _text(data, name)
    try:
        lines = lines_of(text)
        document = tomllib.loads(text)
    except UnboundedError as error:
        raise PolicyError(name, [Complaint(error.line, shown(error.place), str(error))]) from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(name, [_no_toml(str(error), text)]) from error
    reader = _Reader(lines)
    policies = reader.policies(document)
    if reader.complaints:
        raise PolicyError(name, reader.complaints)
    return policies


def shown(place: Place) -> str:
    """A place as an operator would write the key; positions in arrays count from 1."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            bare = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{bare}" if text else bare
    return text


def _text(data: bytes, name: str) -> str:
    if len(data) > FILE_MAX_BYTES:
        raise PolicyError(name, [Complaint(1, "", f"is larger than {FILE_MAX_BYTES} bytes")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyError(name, [Complaint(line, "", "is not text in UTF-8")]) from error
    # An editor that was stopped half way leaves an empty file: nobody means the defaults by it.
    if not text.strip():
        message = f"says nothing; for the defaults alone, write [{DEFAULT_GROUP}]"
        raise PolicyError(name, [Complaint(1, "", message)])
    return text


def _no_toml(message: str, text: str) -> Complaint:
    found = _AT.search(message)
    line = int(found[1]) if found and found[1] else text.count("\n") + 1
    return Complaint(line, "", f"is not TOML: {_AT.sub('', message)}")


class _Reader:
    """Turns a document into policies, and collects what is wrong with it."""

    def __init__(self, lines: Mapping[Place, int]) -> None:
        self.complaints: list[Complaint] = []
        self._lines = lines

    @property
    def is_full(self) -> bool:
        """Whether there are as many complaints as are told."""
        return len(self.complaints) >= COMPLAINTS_MAX

    def policies(self, document: Mapping[str, Any]) -> Policies:
        """The policies, as far as they can be read."""
        self._refuse_unknown((), document, (DEFAULT_GROUP, "groups"))
        of_default = self._group((DEFAULT_GROUP,), document.get(DEFAULT_GROUP, {}))
        default = replace(GroupPolicy(), **of_default)
        self._read_as_meant(document)
        tables = self._table(("groups",), document.get("groups", {}))
        if len(tables) > GROUPS_MAX:
            self._complain(("groups",), f"has more than {GROUPS_MAX} groups")
        groups: dict[str, GroupPolicy] = {}
        for name, table in tables.items():
            if self.is_full:
                break
            place = ("groups", name)
            if message := group_name(name):
                self._complain(place, message)
            groups[name] = replace(default, **self._group(place, table))
        return Policies(default, groups)

    def _read_as_meant(self, document: Mapping[str, Any]) -> None:
        """Tells also what is wrong inside a table that can only have been meant as groups."""
        for key, tables in document.items():
            is_meant = key != "groups" and get_close_matches(key, ["groups"], cutoff=MEANT)
            if is_meant and isinstance(tables, dict):
                for name, table in tables.items():
                    if isinstance(table, dict) and not self.is_full:
                        self._group((key, name), table)

    def _group(self, place: Place, value: object) -> dict[str, Any]:
        """The fields of a group's policy that its table states."""
        table = dict(self._table(place, value))
        inner = (*place, TOLERANCE)
        tolerance = self._table(inner, table.pop(TOLERANCE, {}))
        self._refuse_unknown(place, table, (*NAMES, TOLERANCE))
        self._refuse_unknown(inner, tolerance, tuple(TOLERANCES))
        return self._fields(place, table, NAMES) | self._fields(inner, tolerance, TOLERANCES)

    def _fields(
        self, place: Place, table: Mapping[str, object], names: Mapping[str, tuple[str, Reader]]
    ) -> dict[str, Any]:
        return {
            field: read_value(table[key], self._complainer((*place, key)))
            for key, (field, read_value) in names.items()
            if key in table
        }

    def _table(self, place: Place, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._complain(place, f"must be a table: [{shown(place)}]")
        return {}

    def _refuse_unknown(
        self, place: Place, table: Mapping[str, object], known: tuple[str, ...]
    ) -> None:
        for key in table:
            if self.is_full:
                return
            if key in known:
                continue
            if not place and key in NAMES:
                message = f"belongs under [{DEFAULT_GROUP}] or the table of a group, [groups.NAME]"
            else:
                message = f"is not known here; {nearest(key, known)}"
            self._complain((*place, key), message)

    def _complainer(self, place: Place) -> Complain:
        return lambda message, *inside: self._complain((*place, *inside), message)

    def _complain(self, place: Place, message: str) -> None:
        ways = (place[:end] for end in range(len(place), 0, -1))
        line = next((self._lines[way] for way in ways if way in self._lines), 1)
        self.complaints.append(Complaint(line, shown(place), message))
