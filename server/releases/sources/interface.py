"""What a release source is: something that says which versions and bytes are public.

A source states and judges nothing; it raises `SourceError` when it cannot tell, and says
None only when it answers and knows of no such version: the difference between "unknown"
and "never public" rests on that. It keeps no clock and no database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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


class Source(Protocol):
    """One place that says what is public."""

    @property
    def name(self) -> str:
        """The module's name: ``npm``, ``bucket``; kept with all that it says."""
        ...

    @property
    def keeps_list(self) -> bool:
        """It lists every version that was ever public; such a source is read first."""
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
            SourceError: It cannot tell, or the bytes are not the published ones.
        """
        ...
