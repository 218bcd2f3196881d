"""A release's ``manifest.json``: the digests of its files per platform (facts 2.3). Pure.

Strict in what is compared (version, digests, sizes), lenient in what is only told: an odd
build date or commit is left out. Platforms that this code does not know are kept.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agent.wire import Name, Sha256
from server.errors import SourceError
from server.releases.ledger import Artifact, Release, Trust

MANIFEST_MAX_BYTES = 65_536
"""Largest manifest, in bytes; those of 2026 have about 2,000."""

_NUMBER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")


class _File(Struct, frozen=True):
    checksum: Sha256
    size: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class _Document(Struct, frozen=True, rename="camel"):
    version: str
    platforms: Annotated[dict[Name, _File], Meta(min_length=1, max_length=64)]
    build_date: object = None
    commit: object = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says.

    Attributes:
        release: Version, build date and commit.
        files: (platform, sha256, size in bytes) of each program file.
    """

    release: Release
    files: tuple[tuple[str, str, int], ...]

    def artifacts(self, trust: Trust, source: str) -> tuple[Artifact, ...]:
        """The files as artifacts of a source; a manifest's checksums are of native binaries."""
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
    commit = document.commit
    return Manifest(
        Release(
            document.version,
            build_date=instant(document.build_date),
            commit=commit if isinstance(commit, str) and _COMMIT.match(commit) else None,
        ),
        tuple((name, file.checksum, file.size) for name, file in document.platforms.items()),
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


def _unusable(why: str) -> SourceError:
    return SourceError(
        f"a release manifest cannot be used: {why}",
        advice="see whether the source is the right one; it is tried again",
    )
