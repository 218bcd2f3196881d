"""The keys that an npm registry signs with: fetched when first needed, then kept.

A signature by a key that is not among the kept ones has them fetched anew: that is how a
registry brings in the next key. Many registries have no keys, which is no fault of theirs.
Several threads may ask; the first one fetches.
"""

import threading

from server.errors import SourceError
from server.fetch import Fetcher
from server.fetch_body import Limits
from server.fetch_errors import DeniedError, NotFoundError
from server.releases.registry_signature import (
    KEYS_MAX_BYTES,
    RegistryKey,
    Signature,
    is_signed,
    read_keys,
)
from server.releases.sources.interface import Keep

_LIMITS = Limits(max_bytes=KEYS_MAX_BYTES, deadline_s=30.0)


class RegistryKeys:
    """Checks what one registry states against its own signatures.

    Args:
        fetcher: At the registry's address.
        keep: Where the keys stay.
    """

    def __init__(self, fetcher: Fetcher, keep: Keep) -> None:
        self._fetcher = fetcher
        self._keep = keep
        self._name = f"npm {fetcher.base_url}"
        self._one_fetches = threading.Lock()

    def check(
        self, subject: str, signatures: tuple[Signature, ...], published_at: int | None
    ) -> str | None:
        """Holds a package's integrity against its signatures, where the registry shows both.

        Args:
            subject: ``name@version:integrity``.
            signatures: Those that the registry shows of it.
            published_at: Seconds since the epoch, where it is known.

        Returns:
            Why it is not verified though it is signed, for the operator; else None.

        Raises:
            ForgedError: A signature is wrong.
        """
        if not signatures:
            return None
        with self._one_fetches:
            return self._check(subject, signatures, published_at)

    def _check(
        self, subject: str, signatures: tuple[Signature, ...], published_at: int | None
    ) -> str | None:
        if is_signed(subject, signatures, self._kept(), published_at):
            return None
        name = subject.rpartition(":")[0]
        try:
            keys = self._fetch()
        except (NotFoundError, DeniedError):
            return None
        except SourceError as error:
            return f"{name} has a signature that is not checked: {error}"
        if is_signed(subject, signatures, keys, published_at):
            return None
        return f"{name} has a signature by no key that the npm registry shows for its time"

    def _kept(self) -> tuple[RegistryKey, ...]:
        kept = self._keep.get(self._name)
        try:
            return read_keys(kept) if kept is not None else ()
        except SourceError:
            return ()  # whatever was put there, it is fetched anew

    def _fetch(self) -> tuple[RegistryKey, ...]:
        url = f"{self._fetcher.base_url}/-/npm/v1/keys"
        body = self._fetcher.get(url, _LIMITS, accept="application/json").body or b""
        keys = read_keys(body)
        self._keep.put(self._name, body)
        return keys
