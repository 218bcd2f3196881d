"""The release bucket: pointers as plain text, and two signed manifests per version (facts 2.2).

What a verified manifest says is `signed`; where no signature is shown, or its key cannot be
had, it is `stated`: vouched for by TLS alone. The second manifest has the digest of the macOS
application's archive, out of which the program is hashed.

The bucket keeps no list, so only a missing manifest says that a version was never public,
and that only from the version on from which npm ships the same bytes: earlier ones may exist
as npm's ``cli.js`` alone (facts 0.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from server.errors import SourceError
from server.fetch import Fetcher, Validators
from server.fetch_body import Limits
from server.fetch_errors import DeniedError, NotFoundError
from server.releases import bundle
from server.releases.ledger import LAST_JS_VERSION, Artifact
from server.releases.manifest import Archive, is_release_number
from server.releases.pinned_keys import PinnedKeys
from server.releases.signature import Pins
from server.releases.signed_manifests import SignedManifests, Vouched
from server.releases.sources.interface import (
    Addresses,
    Keep,
    Memory,
    NoWordError,
    Package,
    Published,
    Source,
    SourceReading,
)
from server.releases.unfolded import Hashed
from server.releases.versions import is_newer

CHANNELS = ("latest", "stable")
"""The pointers that the bucket has."""

_POINTER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(-[0-9A-Za-z.]{1,32})?\Z")
_POINTER_LIMITS = Limits(max_bytes=1_024, deadline_s=30.0)
_ARCHIVE_LIMITS = Limits(max_bytes=bundle.ARCHIVE_MAX_BYTES, deadline_s=1_800.0)


@dataclass(frozen=True, slots=True)
class _Pointer:
    version: str
    validators: Validators


class BucketSource:
    """Reads one release bucket.

    Args:
        fetcher: At the bucket's address.
        keep: Where the signing keys stay; without one, in memory.
        pins: Which keys they are.
    """

    name = "bucket"
    keeps_list = False
    has_place = True

    def __init__(
        self, fetcher: Fetcher, keep: Keep | None = None, pins: Pins | None = None
    ) -> None:
        self._fetcher = fetcher
        pinned = pins or Pins()
        keys = PinnedKeys(fetcher, keep or Memory(), pinned)
        self._manifests = SignedManifests(fetcher, keys, pinned)
        self._pointers: dict[str, _Pointer] = {}

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
        """The digests of a version's native binaries, and the applications to be hashed.

        Raises:
            ForgedError: What it shows is not what was signed.
            NoWordError: It can never tell of this version that there is none.
            SourceError: It cannot tell this time.
        """
        if not is_release_number(version):
            raise NoWordError(
                "the bucket is asked for plain release numbers only",
                advice="give an npm registry: it lists every version",
            )
        try:
            plain = self._manifests.read(version, "manifest.json")
        except NotFoundError:
            _check_absence(version)
            return None
        except DeniedError as error:
            # Storage that lets nobody list its objects denies a missing one, too.
            raise NoWordError(
                f"the bucket does not say whether there is a {version}",
                advice="give an npm registry: it lists every version",
            ) from error
        packed = self._packed(version)
        return Published(
            plain.manifest.release,
            plain.manifest.artifacts(plain.trust, self.name),
            tuple(Package(platform, "bundle") for platform in packed.manifest.bundles)
            if packed
            else (),
            tuple(each.warning for each in (plain, packed) if each and each.warning),
        )

    def hash_package(self, version: str, package: Package) -> Artifact | None:
        """Streams a macOS application and hashes the program in it.

        Raises:
            ForgedError: The bytes are not the published ones.
            SourceError: It cannot tell.
        """
        platform, packed = package.platform, self._packed(version)
        if platform is None or package.form != "bundle" or packed is None:
            return None
        stated = packed.manifest.bundles.get(platform)
        hashed = self._hash(version, platform, stated) if stated else None
        if hashed is None:
            return None
        return Artifact(
            version, platform, "bundle", hashed.sha256, hashed.size, packed.trust, self.name
        )

    def _hash(self, version: str, platform: str, stated: Archive) -> Hashed | None:
        url = f"{self._fetcher.base_url}/{version}/{platform}/claude.app.tar.zst"
        try:
            with self._fetcher.stream(url, _ARCHIVE_LIMITS) as body:
                return bundle.hash_program(body, stated)
        except NotFoundError:
            return None

    def _packed(self, version: str) -> Vouched | None:
        """The manifest of the packed forms; None where there is none to be seen."""
        try:
            return self._manifests.read(version, "manifest.zst.json")
        except (NotFoundError, DeniedError):
            return None

    def _pointer(self, channel: str) -> str | None:
        url = f"{self._fetcher.base_url}/{channel}"
        known = self._pointers.get(channel)
        validators = known.validators if known else None
        try:
            fetched = self._fetcher.get(
                url, _POINTER_LIMITS, accept="text/plain", validators=validators
            )
        except (NotFoundError, DeniedError):
            return None
        if fetched.body is None and known:
            return known.version
        version = (fetched.body or b"").decode("ascii", errors="replace").strip()
        if not _POINTER.match(version):
            raise SourceError(
                f"the bucket's {channel} is no version number",
                advice="see whether a proxy or a network's sign-in page stands in between",
            )
        self._pointers[channel] = _Pointer(version, fetched.validators)
        return version


def open_source(
    addresses: Addresses, environment: Mapping[str, str], home: Path, keep: Keep
) -> Source | None:
    """The bucket of the settings; None where it is switched off."""
    del environment, home
    if not addresses.bucket_url:
        return None
    return BucketSource(Fetcher(addresses.bucket_url, ca_file=addresses.ca_file), keep)


def _check_absence(version: str) -> None:
    """Refuses to take a missing manifest for more than it says."""
    if not is_newer(version, LAST_JS_VERSION):
        raise NoWordError(
            f"the bucket has no {version}, and may lack versions up to {LAST_JS_VERSION}",
            advice="give an npm registry: it lists every version",
        )
