"""The release bucket: pointers as plain text, and a manifest per version (facts 2.2).

What it says is `stated`: vouched for by TLS alone. It keeps no list, so only a missing
manifest says that a version was never public, and that only from the version on from
which npm ships the same bytes: earlier ones may exist as npm's ``cli.js`` alone (facts 0.3).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from server.errors import SourceError
from server.fetch import Fetcher
from server.fetch_body import Limits
from server.fetch_errors import DeniedError, NotFoundError
from server.releases.ledger import LAST_JS_VERSION, Artifact, is_newer
from server.releases.manifest import MANIFEST_MAX_BYTES, is_release_number, parse
from server.releases.sources.interface import (
    Addresses,
    NoWordError,
    Package,
    Published,
    Source,
    SourceReading,
)

CHANNELS = ("latest", "stable")
"""The pointers that the bucket has."""

_POINTER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(-[0-9A-Za-z.]{1,32})?\Z")
_POINTER_LIMITS = Limits(max_bytes=1_024, deadline_s=30.0)
_MANIFEST_LIMITS = Limits(max_bytes=MANIFEST_MAX_BYTES, deadline_s=30.0)


class BucketSource:
    """Reads one release bucket.

    Args:
        fetcher: At the bucket's address.
    """

    name = "bucket"
    keeps_list = False

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def read(self) -> SourceReading:
        """The pointers, now; one that does not exist is left out.

        Raises:
            SourceError: It gave no usable answer, or has no pointer at all.
        """
        heads = {channel: version for channel in CHANNELS if (version := self._pointer(channel))}
        if not heads:
            raise SourceError(
                "the release bucket shows neither latest nor stable",
                advice="check the bucket's address in the settings",
            )
        return SourceReading(heads, ())

    def manifest(self, version: str) -> Published | None:
        """The digests of a version's native binaries.

        Raises:
            NoWordError: It can never tell of this version that there is none.
            SourceError: It cannot tell this time.
        """
        if not is_release_number(version):
            raise NoWordError(
                "the bucket is asked for plain release numbers only",
                advice="give an npm registry: it lists every version",
            )
        try:
            url = f"{self._fetcher.base_url}/{version}/manifest.json"
            body = self._fetcher.get(url, _MANIFEST_LIMITS, accept="application/json").body
        except NotFoundError:
            _check_absence(version)
            return None
        except DeniedError as error:
            # Storage that lets nobody list its objects denies a missing one, too.
            raise NoWordError(
                f"the bucket does not say whether there is a {version}",
                advice="give an npm registry: it lists every version",
            ) from error
        manifest = parse(body or b"")
        if manifest.release.version != version:
            raise SourceError(
                f"the bucket's manifest of {version} says {manifest.release.version}",
                advice="see whether a proxy in between answers from a wrong cache",
            )
        return Published(manifest.release, manifest.artifacts("stated", self.name))

    def hash_package(self, version: str, package: Package) -> Artifact | None:
        """None: the manifest has told everything."""
        del version, package
        return None

    def _pointer(self, channel: str) -> str | None:
        try:
            url = f"{self._fetcher.base_url}/{channel}"
            body = self._fetcher.get(url, _POINTER_LIMITS, accept="text/plain").body or b""
        except NotFoundError:
            return None
        version = body.decode("ascii", errors="replace").strip()
        if not _POINTER.match(version):
            raise SourceError(
                f"the bucket's {channel} is no version number",
                advice="see whether a proxy or a network's sign-in page stands in between",
            )
        return version


def open_source(addresses: Addresses, environment: Mapping[str, str], home: Path) -> Source | None:
    """The bucket of the settings; None where it is switched off."""
    del environment, home
    return BucketSource(Fetcher(addresses.bucket_url)) if addresses.bucket_url else None


def _check_absence(version: str) -> None:
    """Refuses to take a missing manifest for more than it says."""
    if not is_newer(version, LAST_JS_VERSION):
        raise NoWordError(
            f"the bucket has no {version}, and may lack versions up to {LAST_JS_VERSION}",
            advice="give an npm registry: it lists every version",
        )
