"""The file of a replay: what was public, what was expected, what laptops had, each dated. Pure.

It holds no verdicts. Every entry has its `basis`: the section of the collected facts that it
stands in, or the word ``assumed``; who reads the outcome can see on what it rests.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from agent.digest import of_value
from agent.wire import (
    WIRE_VERSION,
    Build,
    Config,
    Exposure,
    Form,
    Install,
    Key,
    Label,
    Name,
    Override,
    OverrideKind,
    Profile,
    Sha256,
    Value,
    Version,
)
from server.errors import SettingsError
from server.policy import DEFAULT_GROUP
from server.releases.ledger import Trust

FILE_MAX_BYTES = 1_048_576
"""Largest file, in bytes."""

ENTRIES_MAX = 2_000
"""Most entries of one kind."""

SERVER_TRACE = "server"
"""What a change touches that leaves nothing on a laptop."""

Basis = Annotated[
    str, Meta(pattern=r"^(facts \d{1,2}(\.\d{1,2})?(, facts \d{1,2}(\.\d{1,2})?)*|assumed)$(?!\n)")
]
Sentence = Annotated[str, Meta(min_length=1, max_length=400)]

T = TypeVar("T", bound=Struct)
_FIRST_YEAR, _YEAR_MAX = 1970, 9999  # beyond them an offset from UTC can leave the calendar


class _Entry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Anything dated.

    Attributes:
        at: When it became so; a time with its offset.
        basis: Where that stands.
    """

    at: datetime
    basis: Basis


class ReadingEntry(_Entry, frozen=True, kw_only=True):
    """From here on a pointer shows a version, until its next entry.

    Attributes:
        source: ``npm`` or ``bucket``.
        channel: The pointer.
        version: What it shows.
    """

    source: Name
    channel: Name
    version: Version


class ReleaseEntry(_Entry, frozen=True, kw_only=True):
    """From here on a source tells of a release and of one of its files.

    Attributes:
        version: Its number.
        platform: Of the file, as are the form, digest and size in bytes; None for JavaScript.
        trust: How the digest was established.
        source: Who tells.
        commit: Of the release, where it is known.
    """

    version: Version
    sha256: Sha256
    size: Annotated[int, Meta(ge=1)]
    source: Name
    platform: Name | None = None
    form: Form = "binary"
    trust: Trust = "stated"
    commit: str | None = None


class InstallEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A copy of Claude Code that a laptop had.

    Attributes:
        method: How it got there.
        place: The class of place.
        version: In its bytes, as are the platform, package and form.
        sha256: Of its bytes; without them the copy was not examined.
        starts: What starts it.
    """

    method: Name
    place: Name
    version: Version
    sha256: Sha256 | None = None
    platform: Name | None = None
    package: str | None = None
    form: Form = "binary"
    starts: tuple[Name, ...] = ("terminal",)


class OverrideEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A behaviour override that a laptop had.

    Attributes:
        kind: ``setting``, ``variable`` or ``flag``.
        key: Its name.
        layer: Where it was set.
        value: As it would be told.
    """

    kind: OverrideKind
    key: Key
    layer: Name
    value: bool | int | float | Value | None = None


class ProfileEntry(_Entry, frozen=True, kw_only=True):
    """From here on a laptop has this.

    Attributes:
        machine: Its name.
        owner: Who is told on it.
        group: Its group.
        os: Its system.
        arch: Its processor.
        installs: Its copies.
        overrides: Its behaviour overrides.
        exposure: What the product was told remotely.
    """

    machine: Label
    owner: Label
    os: Name
    arch: Name
    group: Name = DEFAULT_GROUP
    installs: tuple[InstallEntry, ...] = ()
    overrides: tuple[OverrideEntry, ...] = ()
    exposure: Exposure | None = None

    def profile(self) -> Profile:
        """The same as its agent would have sent it."""
        overrides = tuple(
            Override(each.kind, each.key, each.layer, "behaviour", each.value)
            for each in self.overrides
        )
        told = [(each.kind, each.key, each.value) for each in overrides]
        return Profile(
            wire=WIRE_VERSION,
            os=self.os,
            arch=self.arch,
            installs=tuple(map(_install, self.installs)),
            config=Config(1, of_value(told), overrides),
            exposure=self.exposure,
        )


class PolicyEntry(_Entry, frozen=True, kw_only=True):
    """From here on a policy holds.

    Attributes:
        policy: The operator's policy file, as text.
    """

    policy: Annotated[str, Meta(max_length=65_536)]


class ChangeEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the product whose story is told.

    Attributes:
        name: What it is called.
        shipped: From when on users had it.
        undone: Until when.
        touches: What it could show in on a laptop: ``build``, ``exposure`` or the key of an
            override; `SERVER_TRACE` is nothing that a laptop shows.
        unseen: What kept it from sight and left nothing on a laptop.
        basis: Where all that stands.
    """

    name: Label
    shipped: datetime
    undone: datetime
    touches: Annotated[tuple[Key, ...], Meta(min_length=1, max_length=16)]
    basis: Basis
    unseen: Sentence | None = None


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    title: Label
    change: Annotated[tuple[ChangeEntry, ...], Meta(min_length=1, max_length=64)]
    reading: Annotated[tuple[ReadingEntry, ...], Meta(max_length=ENTRIES_MAX)] = ()
    release: Annotated[tuple[ReleaseEntry, ...], Meta(max_length=ENTRIES_MAX)] = ()
    policy: Annotated[tuple[PolicyEntry, ...], Meta(max_length=ENTRIES_MAX)] = ()
    profile: Annotated[tuple[ProfileEntry, ...], Meta(max_length=ENTRIES_MAX)] = ()


@dataclass(frozen=True)
class Scenario:
    """All of a file, each kind in the order of time.

    Attributes:
        title: What it is about.
        changes: Whose stories are told.
        readings: What the pointers showed.
        releases: What the sources told.
        policies: What was expected.
        profiles: What the laptops had.
    """

    title: str
    changes: tuple[ChangeEntry, ...]
    readings: tuple[ReadingEntry, ...]
    releases: tuple[ReleaseEntry, ...]
    policies: tuple[PolicyEntry, ...]
    profiles: tuple[ProfileEntry, ...]


def parse(body: bytes, name: str) -> Scenario:
    """Reads a file.

    Args:
        body: Its bytes.
        name: What errors call it.

    Raises:
        SettingsError: It is no such file; the text says where.
    """
    if len(body) > FILE_MAX_BYTES:
        raise _unusable(name, f"is larger than {FILE_MAX_BYTES} bytes")
    try:
        table = tomllib.loads(body.decode("utf-8"))
        document = msgspec.convert(table, _Document)
    except msgspec.ValidationError as error:
        raise _unusable(name, f"cannot be played: {error}") from error
    # A number of thousands of digits is a ValueError without a name of its own.
    except (ValueError, RecursionError) as error:
        raise _unusable(name, f"is not TOML: {error}") from error
    for each in _moments(document):
        if each.tzinfo is None:
            raise _unusable(name, f"has a time without its offset: {each.isoformat()}")
        if not _FIRST_YEAR <= each.year < _YEAR_MAX:
            raise _unusable(name, f"has a time that no clock shows: {each.isoformat()}")
    for change in document.change:
        if change.undone <= change.shipped:
            raise _unusable(name, f"has a change that ends before it begins: {change.name}")
    return Scenario(
        document.title,
        _in_order(document.change, lambda each: each.shipped),
        _in_order(document.reading, lambda each: each.at),
        _in_order(document.release, lambda each: each.at),
        _in_order(document.policy, lambda each: each.at),
        _in_order(document.profile, lambda each: each.at),
    )


def epoch(moment: datetime) -> int:
    """A moment as whole seconds since the epoch."""
    return int(moment.astimezone(UTC).timestamp())


def _moments(document: _Document) -> list[datetime]:
    dated = (*document.reading, *document.release, *document.policy, *document.profile)
    windows = (moment for each in document.change for moment in (each.shipped, each.undone))
    return [*(each.at for each in dated), *windows]


def _in_order(entries: tuple[T, ...], key: Callable[[T], datetime]) -> tuple[T, ...]:
    return tuple(sorted(entries, key=key))


def _install(entry: InstallEntry) -> Install:
    if entry.sha256 is None:
        return Install(
            entry.method,
            entry.place,
            state="not-examined",
            claimed=entry.version,
            starts=entry.starts,
            reason="its bytes are not known",
        )
    build = Build(entry.sha256, 0, entry.form, entry.version, entry.platform, None, entry.package)
    return Install(entry.method, entry.place, build=build, starts=entry.starts)


def _unusable(name: str, why: str) -> SettingsError:
    return SettingsError(f"{name} {why}", advice="correct that place")
