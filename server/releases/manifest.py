"""A release's manifests: the digests of its files per platform (facts 2.3). Pure.

``manifest.json`` has those of the programs. ``manifest.zst.json`` has those of their packed
forms, and on macOS that of the application's archive. Both are strict in what is compared
(version, digests, sizes), lenient in what is only told: an odd build date, commit or
``sdkCompat`` is left out. Platforms that this code does not know are kept.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agent.wire import Name, Sha256
from server.errors import SourceError
from server.releases.ledger import Artifact, Release, Trust

MANIFEST_MAX_BYTES = 65_536
"""Largest manifest, in bytes; those of 2026 have about 2,000."""

WRAPPERS_MAX = 256
"""Most tested SDK versions that are kept, the first ones; 2.1.330 names 30."""

_HARNESS_MAX = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


class _Bundle(Struct, frozen=True):
    checksum: Sha256
    size: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class _File(Struct, frozen=True):
    checksum: Sha256
    size: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    binary: object = None
    bundle: _Bundle | None = None


class _Document(Struct, frozen=True, rename="camel"):
    version: str
    platforms: Annotated[dict[Name, _File], Meta(min_length=1, max_length=64)]
    build_date: object = None
    commit: object = None
    sdk_compat: object = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed file as it is downloaded.

    Attributes:
        sha256: 64 hex digits.
        size: Bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says.

    Attributes:
        release: The version and what is told of it.
        files: (platform, sha256, size in bytes) of each file.
        bundles: By platform, the archive of its application; of ``manifest.zst.json`` alone.
        is_packed: The files are packed forms: it is a ``manifest.zst.json`` by its content.
    """

    release: Release
    files: tuple[tuple[str, str, int], ...]
    bundles: Mapping[str, Archive] = field(default_factory=dict)
    is_packed: bool = False

    def artifacts(self, trust: Trust, source: str) -> tuple[Artifact, ...]:
        """The files of ``manifest.json``, native binaries all of them, as a source's artifacts."""
        version = self.release.version
        return tuple(
            Artifact(version, platform, "binary", sha256, size, trust, source)
            for platform, sha256, size in self.files
        )


def parse(body: bytes) -> Manifest:
    """Reads a manifest.

    Raises:
        SourceError: It is not one.
    """
    if len(body) > MANIFEST_MAX_BYTES:
        raise _unusable(f"it is larger than {MANIFEST_MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(body, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable(str(error)[:120]) from error
    if not is_release_number(document.version):
        raise _unusable("its version is no release number")
    platforms = document.platforms.items()
    return Manifest(
        _release(document),
        tuple((name, file.checksum, file.size) for name, file in platforms),
        {
            name: Archive(file.bundle.checksum, file.bundle.size)
            for name, file in platforms
            if file.bundle is not None
        },
        any(str(file.binary).endswith(".zst") for _, file in platforms),
    )


def is_release_number(version: str) -> bool:
    """Whether this is a plain release number, such as ``2.1.330``."""
    return _NUMBER.match(version) is not None


def instant(text: object) -> int | None:
    """Seconds since the epoch of an ISO 8601 time with its offset; None if it is no such."""
    if not isinstance(text, str) or len(text) > 40:  # noqa: PLR2004 - longer than any of them
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds if seconds >= 0 else None


def _release(document: _Document) -> Release:
    commit = document.commit
    compat = document.sdk_compat if isinstance(document.sdk_compat, dict) else {}
    return Release(
        document.version,
        build_date=instant(document.build_date),
        commit=commit if isinstance(commit, str) and _COMMIT.match(commit) else None,
        harness_schema=_harness(compat.get("harnessSchema")),
        tested_wrappers=_wrappers(compat.get("testedWrapperVersions")),
    )


def _harness(told: object) -> int | None:
    if not isinstance(told, int) or isinstance(told, bool):
        return None
    return told if 0 <= told <= _HARNESS_MAX else None


def _wrappers(told: object) -> tuple[str, ...]:
    if not isinstance(told, list):
        return ()
    known = (item for item in told if isinstance(item, str) and is_release_number(item))
    return tuple(itertools.islice(known, WRAPPERS_MAX))


def _unusable(why: str) -> SourceError:
    return SourceError(
        f"a release manifest cannot be used: {why}",
        advice="see whether the source is the right one; it is tried again",
    )
