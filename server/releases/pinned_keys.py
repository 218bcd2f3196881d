"""The release keys: fetched once from beside the bucket, accepted by pin alone, then kept.

What is kept is held against the pin again whenever it is read, so neither the network nor
the database can put another key in its place. A key that cannot be had is no error of the
manifest's: it says so, and the manifest is what TLS makes it. Several threads may ask; the
first one fetches.
"""

import threading
from collections.abc import Callable
from urllib.parse import urljoin

from server.errors import SourceError
from server.fetch import Fetcher
from server.fetch_body import Limits
from server.releases.signature import KEY_MAX_BYTES, Pins, pinned_certificate, pinned_rsa_key
from server.releases.sources.interface import ForgedError, Keep

_LIMITS = Limits(max_bytes=KEY_MAX_BYTES, deadline_s=30.0)


class NoKeyError(SourceError):
    """A release key cannot be fetched."""


class PinnedKeys:
    """The keys that a bucket's releases are signed with.

    Args:
        fetcher: At the bucket's address; the keys lie at the root of its host (facts 2.1).
        keep: Where they stay.
        pins: Which ones they are.
    """

    def __init__(self, fetcher: Fetcher, keep: Keep, pins: Pins) -> None:
        self._fetcher = fetcher
        self._keep = keep
        self._pins = pins
        self._one_fetches = threading.Lock()

    def rsa(self) -> bytes:
        """The key of the raw signatures, in DER.

        Raises:
            ForgedError: Another key is served in its place.
            NoKeyError: It cannot be fetched.
        """
        with self._one_fetches:
            return self._get("claude-code.rsa.pub", pinned_rsa_key)

    def gpg(self) -> bytes:
        """The certificate of the GPG signatures.

        Raises:
            ForgedError: Another key is served in its place.
            NoKeyError: It cannot be fetched.
        """
        with self._one_fetches:
            return self._get("claude-code.asc", pinned_certificate)

    def _get(self, name: str, pinned: Callable[[bytes, Pins], bytes]) -> bytes:
        kept = self._keep.get(name)
        if kept is not None:
            try:
                return pinned(kept, self._pins)
            except SourceError:
                pass  # Whatever was put there is no key of ours: it is fetched anew.
        url = urljoin(self._fetcher.base_url, f"/keys/{name}")
        try:
            body = self._fetcher.get(url, _LIMITS, accept="*/*").body or b""
            key = pinned(body, self._pins)
        except ForgedError:
            raise
        except SourceError as error:
            raise NoKeyError(
                f"the release key cannot be had: {error}", advice=error.advice
            ) from error
        self._keep.put(name, key)
        return key
