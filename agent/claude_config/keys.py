"""What each setting and variable of Claude Code is: ``keys.toml``, read and checked.

The file is ours, so a fault in it is a bug and raises `ValueError`; the tests read it.
What a key may tell of its value is decided here once, for every layer: a word of a closed
list, a boolean, or a small number. No other text can become a told value.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, TypeVar, get_args

Kind = Literal["setting", "variable"]
KeyClass = Literal["behaviour", "personal", "secret", "cosmetic"]
Form = Literal["set", "boolean", "any", "number", "word"]
Told = bool | int | float | str
_Word = TypeVar("_Word")

NUMBER_MAX = 2_147_483_647
"""The largest number told: the largest that Claude Code documents (``API_TIMEOUT_MS``)."""

NUMBER_DECIMALS = 6
"""The most decimals told of a fraction: more could carry a secret."""

REVISION_MAX = 1_000_000
"""The largest revision that the wire carries."""

_CLAUDE_VARIABLE = re.compile(r"(CLAUDE|ANTHROPIC|ANT)_[A-Z0-9_]{1,60}\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}\Z")
_RESERVED = frozenset({"set", "boolean", "flag", "any", "number"})
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
_NUMBER = re.compile(r"[+-]?[0-9][0-9_]{0,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z")
# The environment variables page names 1, true, 0 and false; the row of DEBUG the others.
_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Key:
    """One setting or variable.

    Attributes:
        kind: ``setting`` or ``variable``.
        name: As written in a settings file, dots between nested names.
        key_class: The override class, or ``cosmetic``.
        form: What of its value may be told.
        words: The values told, for the form ``word``.
        default: The documented default; None where none is documented.
    """

    kind: Kind
    name: str
    key_class: KeyClass
    form: Form = "set"
    words: frozenset[str] = frozenset()
    default: Told | None = None

    def told(self, raw: object) -> Told | None:
        """What of a value may leave the laptop; None if only that it is set.

        Args:
            raw: The JSON value of a setting; the text of a variable, or None where only
                the shell knows it.
        """
        match self.form:
            case "word":
                return raw if isinstance(raw, str) and raw in self.words else None
            case "any":
                return True if raw else None
            case "boolean":
                return raw if isinstance(raw, bool) else self._switched(raw)
            case "number":
                return _small(self._number(raw))
            case _:
                return None

    def _switched(self, raw: object) -> bool | None:
        if self.kind == "setting" or not isinstance(raw, str):
            return None
        word = raw.strip().lower()
        return True if word in _ON else False if word in _OFF else None

    def _number(self, raw: object) -> float | None:
        if isinstance(raw, bool):
            return None
        if isinstance(raw, int | float):
            return raw
        # Claude Code reads 2e3 and 64_000 as numbers (environment variables page).
        is_number = self.kind == "variable" and isinstance(raw, str) and _NUMBER.match(raw.strip())
        return float(str(raw).strip().replace("_", "")) if is_number else None


@dataclass(frozen=True)
class Keys:
    """All that ``keys.toml`` says.

    Attributes:
        revision: Which edition of the file classed the keys.
        known: By (kind, name).
        parents: Setting names that have known names below them.
    """

    revision: int
    known: Mapping[tuple[Kind, str], Key]
    parents: frozenset[str]

    def named(self, kind: Kind, name: str) -> Key | None:
        """The key of a name that may be told; None if the name may not.

        An unlisted name is told only if it is a Claude Code variable by its prefix, and
        then counts as behaviour, its value untold.
        """
        key = self.known.get((kind, name))
        if key is None and _CLAUDE_VARIABLE.match(name):
            return Key(kind, name, "behaviour")
        return key

    def has(self, setting: str) -> bool:
        """Whether a setting name is listed, or has listed names below it."""
        return ("setting", setting) in self.known or setting in self.parents


@cache
def load() -> Keys:
    """The shipped ``keys.toml``.

    Raises:
        ValueError: It is malformed: a bug of ours.
    """
    return parse(resources.files(__package__).joinpath("keys.toml").read_text("utf-8"))


def parse(text: str) -> Keys:
    """The keys of a ``keys.toml``.

    Raises:
        ValueError: It is not TOML, or an entry breaks a rule of the file's own header.
    """
    tables = tomllib.loads(text)
    revision = tables.pop("revision", None)
    if type(revision) is not int or not 1 <= revision <= REVISION_MAX:
        raise ValueError(f"keys.toml: revision has to be a whole number from 1 to {REVISION_MAX}")
    known: dict[tuple[Kind, str], Key] = {}
    for key in _entries(tables):
        if known.setdefault((key.kind, key.name), key) is not key:
            raise ValueError(f"keys.toml: {key.kind} {key.name} is listed twice")
    parents = frozenset(
        prefix for kind, name in known if kind == "setting" for prefix in _prefixes(name)
    )
    for name in parents:
        if "." not in name and ("setting", name) not in known:
            raise ValueError(f"keys.toml: {name} has keys below it and is not listed itself")
    return Keys(revision, MappingProxyType(known), parents)


def _entries(tables: Mapping[str, object]) -> Iterator[Key]:
    for class_name, kinds in tables.items():
        key_class = _one_of(get_args(KeyClass), class_name)
        for kind_name, subjects in _table(kinds, class_name).items():
            kind = _one_of(get_args(Kind), kind_name)
            for subject, names in _table(subjects, kind_name).items():
                yield from _subject(key_class, kind, subject, names)


def _subject(key_class: KeyClass, kind: Kind, subject: str, names: object) -> Iterator[Key]:
    if key_class != "behaviour":
        if not isinstance(names, list):
            raise ValueError(
                f"keys.toml: {subject!r} has to be a list: only behaviour tells values"
            )
        for name in names:
            yield Key(kind, _name(name, cosmetic=key_class == "cosmetic"), key_class)
        return
    for name, column in _table(names, subject).items():
        yield _behaviour(kind, _name(name, cosmetic=False), str(column))


def _behaviour(kind: Kind, name: str, column: str) -> Key:
    spec, _, default = (part.strip() for part in column.partition("="))
    if spec == "flag":
        spec, default = "boolean", default or "false"
    form: Form
    words: frozenset[str] = frozenset()
    match spec:
        case "set" | "boolean" | "number":
            form = spec
        case "any" if kind == "variable":
            form = "any"
        case _:
            form, words = "word", frozenset(word.strip() for word in spec.split("|"))
    if not all(_WORD.match(word) and word not in _RESERVED for word in words):
        raise ValueError(f"keys.toml: {name}: {column!r} is no column that the header explains")
    key = Key(kind, name, "behaviour", form, words)
    return Key(kind, name, "behaviour", form, words, _default(key, default)) if default else key


def _default(key: Key, text: str) -> Told:
    # A variable's text is how keys.toml writes a default; settings share its spelling.
    told = Key("variable", key.name, key.key_class, key.form, key.words).told(text)
    if told is None:
        raise ValueError(f"keys.toml: {key.name}: {text!r} is not a value that it may tell")
    return told


def _small(number: float | None) -> int | float | None:
    if number is None or not abs(number) <= NUMBER_MAX or round(number, NUMBER_DECIMALS) != number:
        return None
    return int(number) if number == int(number) else number


def _prefixes(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _name(name: object, *, cosmetic: bool) -> str:
    # Cosmetic names never leave the laptop, so "$schema" may stand among them.
    if not isinstance(name, str) or not (cosmetic or _NAME.match(name)) or name == "env":
        raise ValueError(f"keys.toml: {name!r} is no name of a key")
    return name


def _table(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"keys.toml: {where} has to be a table")  # noqa: TRY004 - one error family
    return value


def _one_of(allowed: tuple[_Word, ...], name: object) -> _Word:
    for word in allowed:
        if word == name:
            return word
    raise ValueError(f"keys.toml: {name!r} is not one of {allowed}")
