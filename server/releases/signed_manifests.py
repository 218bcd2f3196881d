"""Manifests out of the release bucket, each with who vouches for it (facts 2.2, 2.4).

The best signature that is due is looked for first: the raw one, then GPG's. One that is there
and wrong ends it. One that is missing, or whose key cannot be had, leaves what TLS vouches
for, and says so. What was signed is the bytes and not their address, so their version and kind are
held against what was asked for: a manifest of another release, or the other one of the two, is
a forgery even if its signature is right.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from server.fetch import Fetcher
from server.fetch_body import Limits
from server.fetch_errors import DeniedError, NotFoundError
from server.releases.ledger import Trust
from server.releases.manifest import MANIFEST_MAX_BYTES, Manifest, parse
from server.releases.pinned_keys import NoKeyError, PinnedKeys
from server.releases.signature import (
    FIRST_GPG,
    FIRST_RAW,
    SIGNATURE_MAX_BYTES,
    Pins,
    check_gpg,
    check_raw,
)
from server.releases.sources.interface import ForgedError
from server.releases.versions import is_newer

Name = Literal["manifest.json", "manifest.zst.json"]

_MANIFEST_LIMITS = Limits(max_bytes=MANIFEST_MAX_BYTES, deadline_s=30.0)
_SIGNATURE_LIMITS = Limits(max_bytes=SIGNATURE_MAX_BYTES, deadline_s=30.0)


@dataclass(frozen=True, slots=True)
class Vouched:
    """A manifest, and who vouches for it.

    Attributes:
        manifest: What it says.
        trust: ``signed`` or ``stated``.
        warning: Why it is only stated, where it should be signed.
    """

    manifest: Manifest
    trust: Trust
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class _Due:
    """A signature that a manifest should have."""

    suffix: str
    since: str
    key: Callable[[], bytes]
    check: Callable[[bytes, bytes, bytes, Pins], None]


class SignedManifests:
    """Reads and verifies the manifests of one bucket.

    Args:
        fetcher: At the bucket's address.
        keys: Those that it is verified with.
        pins: Which ones they are.
    """

    def __init__(self, fetcher: Fetcher, keys: PinnedKeys, pins: Pins) -> None:
        self._fetcher = fetcher
        self._keys = keys
        self._pins = pins

    def read(self, version: str, name: Name) -> Vouched:
        """A version's manifest.

        Args:
            version: A plain release number.
            name: Which of the two.

        Raises:
            NotFoundError: There is none.
            DeniedError: The bucket does not let us see it.
            ForgedError: Its signature, its key, its version or its kind is wrong.
            SourceError: It cannot be read this time.
        """
        url = f"{self._fetcher.base_url}/{version}/{name}"
        body = self._fetcher.get(url, _MANIFEST_LIMITS, accept="application/json").body or b""
        trust, warning = self._vouch(body, url, tuple(self._due(version, name)))
        manifest = parse(body)
        if manifest.release.version != version:
            raise ForgedError(
                f"the bucket's manifest of {version} says {manifest.release.version}",
                advice="see whether a proxy in between answers from a wrong cache",
            )
        if manifest.is_packed != (name == "manifest.zst.json"):
            raise ForgedError(
                f"the bucket's {name} of {version} is the other manifest of that release",
                advice="see whether a proxy in between answers from a wrong cache",
            )
        return Vouched(manifest, trust, f"{name} of {version} {warning}" if warning else None)

    def _due(self, version: str, name: Name) -> Iterator[_Due]:
        if not is_newer(FIRST_RAW, version):
            yield _Due(".raw-sig.json", FIRST_RAW, self._keys.rsa, check_raw)
        if name == "manifest.json" and not is_newer(FIRST_GPG, version):
            yield _Due(".sig", FIRST_GPG, self._keys.gpg, check_gpg)

    def _vouch(self, body: bytes, url: str, due: tuple[_Due, ...]) -> tuple[Trust, str | None]:
        why = f"has no signature, though releases from {due[0].since} on have one" if due else None
        for each in due:
            signature = self._signature(url + each.suffix)
            if signature is None:
                continue
            try:
                key = each.key()
            except NoKeyError as error:
                why = f"has a signature that is not checked: {error}"
                continue
            each.check(body, signature, key, self._pins)
            return "signed", None
        return "stated", why

    def _signature(self, url: str) -> bytes | None:
        try:
            return self._fetcher.get(url, _SIGNATURE_LIMITS, accept="*/*").body
        except (NotFoundError, DeniedError):
            # Storage that lets nobody list its objects denies a missing one, too.
            return None
