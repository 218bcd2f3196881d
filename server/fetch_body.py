"""The body of an answer as it arrives: bounded in bytes and time, hashed on the way."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import urllib3

from server.fetch_errors import broken, late, too_large

CHUNK_BYTES = 65_536
"""Bytes read at a time."""


@dataclass(frozen=True)
class Limits:
    """What one request may cost.

    Attributes:
        max_bytes: Largest body, in bytes.
        deadline_s: Seconds from the request to the last byte.
    """

    max_bytes: int
    deadline_s: float


class Raw(Protocol):
    """An answer that urllib3 has opened, as far as it is used here."""

    def read1(self, amt: int, /, *, decode_content: bool) -> bytes:
        """The bytes of one underlying read, at most `amt`."""
        ...


class Body:
    """The bytes of one answer, read once from front to back, and their digests.

    Args:
        raw: The answer, unread.
        limits: What it may cost.
        where: How errors call it.
        ends_at: The deadline on the monotonic clock.
    """

    def __init__(self, raw: Raw, limits: Limits, where: str, ends_at: float) -> None:
        self._raw = raw
        self._limits = limits
        self._where = where
        self._ends_at = ends_at
        self._count = 0
        self._sha512 = hashlib.sha512()

    @property
    def sha512(self) -> bytes:
        """Of all that was read so far."""
        return self._sha512.digest()

    def read_some(self) -> bytes:
        """The next bytes, at most `CHUNK_BYTES`; empty at the end.

        Raises:
            SourceError: The body is too large, too late, or broken off.
        """
        self._check_time()
        try:
            # One underlying read: a buffer is never waited for, so a drip meets the deadline.
            chunk = self._raw.read1(CHUNK_BYTES, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._check_time()
            raise broken(self._where, error) from error
        if not chunk:
            self._check_time()  # one that was cut off has not come to its end
        self._count += len(chunk)
        if self._count > self._limits.max_bytes:
            raise too_large(self._where, self._limits.max_bytes)
        self._sha512.update(chunk)
        return chunk

    def _check_time(self) -> None:
        if time.monotonic() > self._ends_at:
            raise late(self._where, self._limits.deadline_s)

    def __iter__(self) -> Iterator[bytes]:
        """What is left, piece by piece; raises as `read_some`."""
        return iter(self.read_some, b"")

    def read_rest(self) -> bytes:
        """All that is left.

        Raises:
            SourceError: As `read_some`.
        """
        return b"".join(self)
