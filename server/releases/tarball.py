"""One file out of an npm package as it streams by, with everything bounded.

Nothing is written to disk and no other member is looked at. Inflated bytes are counted, so
a small package cannot unfold without end; a header that asks for a large piece at once is
refused; and the bytes count only if the whole package has the digest that the registry
document states (``dist.integrity``, W3C Subresource Integrity).
"""

import base64
import binascii
import hashlib
import hmac
import io
import tarfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import IO, cast

from server.errors import SourceError
from server.fetch_body import CHUNK_BYTES, Body

MEMBERS_MAX = 10_000
"""Most members of a package that are passed over."""

PIECE_MAX_BYTES = 1_048_576
"""Most bytes that a member's extended header may have."""

_GZIP = 31  # zlib's window bits for a gzip header
_ALGORITHM = "sha512-"


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a member's bytes are.

    Attributes:
        sha256: 64 hex digits.
        size: Bytes.
    """

    sha256: str
    size: int


def read_member(
    body: Body, name: str, integrity: str, *, max_bytes: int, unfolded_max_bytes: int
) -> bytes | None:
    """A small member's bytes; None if the package has none.

    Args:
        body: The package, unread.
        name: The member's whole name, such as ``package/manifest.json``.
        integrity: ``dist.integrity`` of the package.
        max_bytes: Largest member.
        unfolded_max_bytes: Most bytes that the package may unfold to.

    Raises:
        SourceError: It is no such package, is too large, or is not the published one.
    """
    taken = bytearray()

    def take(piece: bytes) -> None:
        taken.extend(piece)
        if len(taken) > max_bytes:
            raise _unusable(f"{name} in it is larger than {max_bytes} bytes")

    found = _pour(body, {name}, unfolded_max_bytes, take)
    _check(body, integrity)
    return bytes(taken) if found else None


def hash_member(
    body: Body, names: Collection[str], integrity: str, *, unfolded_max_bytes: int
) -> Hashed | None:
    """The digest of the first member with one of these names; None if there is none.

    Args:
        body: The package, unread.
        names: Whole names.
        integrity: ``dist.integrity`` of the package.
        unfolded_max_bytes: Most bytes that the package may unfold to.

    Raises:
        SourceError: As `read_member`.
    """
    digest = hashlib.sha256()
    size = 0

    def take(piece: bytes) -> None:
        nonlocal size
        digest.update(piece)
        size += len(piece)

    found = _pour(body, names, unfolded_max_bytes, take)
    _check(body, integrity)
    return Hashed(digest.hexdigest(), size) if found else None


class _Unfolded(io.RawIOBase):
    """The inflated package as a file that is read forwards only."""

    def __init__(self, body: Body, max_bytes: int) -> None:
        super().__init__()
        self._pieces = iter(body)
        self._gzip = zlib.decompressobj(_GZIP)
        self._left = max_bytes
        self._ready = b""
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= PIECE_MAX_BYTES:
            raise _unusable("a header in it asks for too large a piece")
        taken = bytearray()
        while len(taken) < size and (piece := self._some(size - len(taken))):
            taken += piece
        return bytes(taken)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset < self._at:
            raise _unusable("its members are not in one row")
        while self._at < offset and self._some(offset - self._at):
            pass
        return self._at

    def tell(self) -> int:
        return self._at

    def _some(self, size: int) -> bytes:
        if not self._ready:
            self._ready = self._inflate()
        piece, self._ready = self._ready[:size], self._ready[size:]
        self._at += len(piece)
        return piece

    def _inflate(self) -> bytes:
        while not self._gzip.eof:
            packed = self._gzip.unconsumed_tail or next(self._pieces, b"")
            piece = self._gzip.decompress(packed, CHUNK_BYTES)
            self._left -= len(piece)
            if self._left < 0:
                raise _unusable("it unfolds to more than its limit")
            if piece or not packed:
                return piece
        return b""


def _pour(
    body: Body, names: Collection[str], unfolded_max_bytes: int, take: Callable[[bytes], None]
) -> bool:
    """Gives the wanted member's bytes to `take`, and reads the package to its end."""
    unfolded = cast("IO[bytes]", _Unfolded(body, unfolded_max_bytes))
    try:
        with tarfile.open(fileobj=unfolded, mode="r:") as tar:
            found = _pour_member(tar, names, take)
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise _unusable(type(error).__name__) from error
    for _ in body:
        pass  # its digest is of all of it
    return found


def _pour_member(
    tar: tarfile.TarFile, names: Collection[str], take: Callable[[bytes], None]
) -> bool:
    for count, member in enumerate(tar):
        if count >= MEMBERS_MAX:
            raise _unusable(f"it has more than {MEMBERS_MAX} members")
        # The holes of a sparse member are bytes that nobody sent, as many as it claims.
        if member.name in names and member.isreg() and not member.issparse():
            file = tar.extractfile(member)
            while file is not None and (piece := file.read(CHUNK_BYTES)):
                take(piece)
            return True
    return False


def _check(body: Body, integrity: str) -> None:
    """Holds the whole package against what the registry document says of it."""
    stated = [item for item in integrity.split() if item.startswith(_ALGORITHM)]
    if not stated:
        raise _unusable("the registry states no sha512 of it")
    try:
        digests = [
            base64.b64decode(item.removeprefix(_ALGORITHM), validate=True) for item in stated
        ]
    except binascii.Error as error:
        raise _unusable("the registry states no sha512 of it") from error
    if not any(hmac.compare_digest(body.sha512, digest) for digest in digests):
        raise SourceError(
            "a package has other bytes than the registry document states",
            advice="find out what changes packages between here and the registry: trust neither",
        )


def _unusable(why: str) -> SourceError:
    return SourceError(
        f"a package cannot be used: {why}",
        advice="see whether the registry is the right one; it is tried again",
    )
