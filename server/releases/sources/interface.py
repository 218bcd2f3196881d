"""What a release source is: something that says which versions and bytes are public.

A source states and judges nothing; it raises `SourceError` when it cannot tell, and says
None only when it answers and knows of no such version: the difference between "unknown"
and "never public" rests on that. It keeps no clock and no database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.wire import Form
from server.errors import SourceError
from server.releases.ledger import Artifact, Release


@dataclass(frozen=True, slots=True)
class SourceReading:
    """What a source says at one moment.

    Attributes:
        heads: By channel, the version that it points to.
        releases: Every version it lists; empty where it keeps no list.
    """

    heads: Mapping[str, str]
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """A file whose program has a digest that only downloading it can tell.

    Attributes:
        platform: What it is for; None for ``js``, which has one file for all.
        form: Of the program in it; ``bundle`` for a macOS application.
    """

    platform: str | None
    form: Form


@dataclass(frozen=True, slots=True)
class Published:
    """What a source tells of one version.

    Attributes:
        release: The version.
        artifacts: The files whose digests it states.
        packages: The files whose digests it does not state.
        warnings: What an operator should know of how it was established; one sentence each.
    """

    release: Release
    artifacts: tuple[Artifact, ...] = ()
    packages: tuple[Package, ...] = ()
    warnings: tuple[str, ...] = ()


class NoWordError(SourceError):
    """By its nature the source cannot tell this; asking again does not help."""


class ForgedError(SourceError):
    """A signature, a key or a digest is wrong: something changes releases on their way."""


class Keep(Protocol):
    """Where signing keys stay once they were fetched."""

    def get(self, name: str) -> bytes | None:
        """What was kept under a name; None where nothing was."""
        ...

    def put(self, name: str, value: bytes) -> None:
        """Keeps a value in place of what was kept under its name."""
        ...


class Memory:
    """Keeps keys as long as the process lives: for a command that only looks."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """What was kept under a name; None where nothing was."""
        return self._values.get(name)

    def put(self, name: str, value: bytes) -> None:
        """Keeps a value in place of what was kept under its name."""
        self._values[name] = value


class Addresses(Protocol):
    """Where the sources are, as the settings say."""

    @property
    def npm_registry_url(self) -> str | None:
        """The npm registry; None leaves it to npm's own configuration."""
        ...

    @property
    def bucket_url(self) -> str | None:
        """The release bucket; None or empty reads none."""
        ...

    @property
    def ca_file(self) -> Path | None:
        """PEM file of the authorities that vouch for both; None leaves it to the system."""
        ...


class Source(Protocol):
    """One place that says what is public; several threads may ask it at once."""

    @property
    def name(self) -> str:
        """The module's name: ``npm``, ``bucket``; kept with all that it says."""
        ...

    @property
    def keeps_list(self) -> bool:
        """It lists every version that was ever public; such a source is read first."""
        ...

    @property
    def has_place(self) -> bool:
        """Its address is known; else every reading says that it is not."""
        ...

    def read(self) -> SourceReading:
        """The heads and the list, now.

        Raises:
            SourceError: It gave no usable answer.
        """
        ...

    def manifest(self, version: str) -> Published | None:
        """What it tells of one version; None if it says that there is no such version.

        Raises:
            ForgedError: What it shows is not what was signed.
            NoWordError: It can never tell of this version that there is none.
            SourceError: It cannot tell this time.
        """
        ...

    def hash_package(self, version: str, package: Package) -> Artifact | None:
        """The digest of a package's program, by downloading it; nothing of it is kept.

        Args:
            version: A version that it told of.
            package: One of `Published.packages`.

        Returns:
            None if there is no such package, or no program in it.

        Raises:
            ForgedError: The bytes are not the published ones.
            SourceError: It cannot tell.
        """
        ...
