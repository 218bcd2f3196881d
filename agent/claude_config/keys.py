"""What each setting, variable, flag and file of Claude Code is: ``keys.toml``, read and checked.

The file is ours, so a fault in it is a bug and raises `ValueError`; the tests read it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TypeVar, get_args

from agent.claude_config.key import Form, Key, KeyClass, Kind, Told

_Word = TypeVar("_Word")

REVISION_MAX = 1_000_000
"""The largest revision that the wire carries."""

_CLAUDE_VARIABLE = re.compile(r"(CLAUDE|ANTHROPIC|ANT)_[A-Z0-9_]{1,60}\Z")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}\Z")
_RESERVED = frozenset({"set", "boolean", "flag", "any", "number", "switch"})
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")


@dataclass(frozen=True)
class Keys:
    """All that ``keys.toml`` says.

    Attributes:
        revision: Which edition of the file classed the keys.
        known: By (kind, name).
        parents: Setting names that have known names below them.
        aliases: Other names of flags, with the name that each stands for.
    """

    revision: int
    known: Mapping[tuple[Kind, str], Key]
    parents: frozenset[str]
    aliases: Mapping[str, str]

    def named(self, kind: Kind, name: str) -> Key | None:
        """The key of a name that may be told; None if the name may not.

        An unlisted name is told only if it is a Claude Code variable by its prefix, and
        then counts as behaviour, its value untold.
        """
        key = self.known.get((kind, name))
        if key is None and kind in {"setting", "variable"} and _CLAUDE_VARIABLE.match(name):
            return Key(kind, name, "behaviour")
        return key

    def flag(self, name: str) -> Key | None:
        """The flag of a name, an alias or a short form; None where it is not listed.

        Args:
            name: As written on the command line (``--model``, ``-p``), without ``=`` and what
                follows it; the dashes may be missing.
        """
        bare = name.lstrip("-")
        return self.known.get(("flag", self.aliases.get(bare, bare)))

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
    aliases: dict[str, str] = {}
    for key, others in _entries(tables):
        if known.setdefault((key.kind, key.name), key) is not key:
            raise ValueError(f"keys.toml: {key.kind} {key.name} is listed twice")
        aliases |= dict.fromkeys(others, key.name)
    for name in aliases:
        if ("flag", name) in known:
            raise ValueError(f"keys.toml: flag {name} is listed twice")
    return Keys(revision, MappingProxyType(known), _parents(known), MappingProxyType(aliases))


def _parents(known: Mapping[tuple[Kind, str], Key]) -> frozenset[str]:
    parents = frozenset(
        prefix for kind, name in known if kind == "setting" for prefix in _prefixes(name)
    )
    for name in parents:
        if "." not in name and ("setting", name) not in known:
            raise ValueError(f"keys.toml: {name} has keys below it and is not listed itself")
    return parents


def _entries(tables: Mapping[str, object]) -> Iterator[tuple[Key, list[str]]]:
    """Each key, with the other names of a flag."""
    for class_name, kinds in tables.items():
        key_class = _one_of(get_args(KeyClass), class_name)
        for kind_name, subjects in _table(kinds, class_name).items():
            kind = _one_of(get_args(Kind), kind_name)
            for subject, names in _table(subjects, kind_name).items():
                yield from _subject(key_class, kind, subject, names)


def _subject(
    key_class: KeyClass, kind: Kind, subject: str, names: object
) -> Iterator[tuple[Key, list[str]]]:
    if isinstance(names, list) and (key_class != "behaviour" or kind == "file"):
        yield from (_listed(key_class, kind, name) for name in names)
        return
    if key_class != "behaviour":
        raise ValueError(f"keys.toml: {subject!r} has to be a list: only behaviour tells values")
    for name, column in _table(names, subject).items():
        yield _behaviour(kind, _name(name, cosmetic=False), str(column)), []


def _listed(key_class: KeyClass, kind: Kind, entry: object) -> tuple[Key, list[str]]:
    """A key of a list; of a flag the entry also says its aliases, and whether it takes a value."""
    is_cosmetic = key_class == "cosmetic"
    if kind != "flag":
        return Key(kind, _name(entry, cosmetic=is_cosmetic), key_class), []
    names, is_open, _ = str(entry).partition("=")
    name, *others = (_name(each.strip(), cosmetic=False) for each in names.split("|"))
    return Key(kind, name, key_class, takes_value=bool(is_open)), others


def _behaviour(kind: Kind, name: str, column: str) -> Key:
    spec, _, default = (part.strip() for part in column.partition("="))
    if spec == "flag" and kind == "variable":
        spec, default = "boolean", default or "false"
    form: Form
    words: frozenset[str] = frozenset()
    match spec:
        case "set" | "boolean" | "number":
            form = spec
        case "any" if kind == "variable":
            form = "any"
        case "switch" if kind == "flag":
            form = "set"
        case _:
            form = "words" if "&" in spec else "word"
            words = frozenset(word.strip() for word in re.split("[|&]", spec))
    if not all(_WORD.match(word) and word not in _RESERVED for word in words):
        raise ValueError(f"keys.toml: {name}: {column!r} is no column that the header explains")
    takes_value = kind == "flag" and spec != "switch"
    key = Key(kind, name, "behaviour", form, words, takes_value=takes_value)
    return replace(key, default=_default(key, default)) if default else key


def _default(key: Key, text: str) -> Told:
    # A variable's text is how keys.toml writes a default; settings share its spelling.
    told = replace(key, kind="variable").told(text)
    if told is None:
        raise ValueError(f"keys.toml: {key.name}: {text!r} is not a value that it may tell")
    return told


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
