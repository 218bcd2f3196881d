"""One file out of an npm package as it streams by.

The bytes count only if the whole package has the digest that the registry document states
(``dist.integrity``, W3C Subresource Integrity).
"""

import base64
import binascii
import hmac
import zlib
from collections.abc import Collection, Iterator

from server.fetch_body import CHUNK_BYTES, Body
from server.releases.sources.interface import ForgedError
from server.releases.unfolded import Hashed, hash_poured, pour, unusable

_GZIP = 31  # zlib's window bits for a gzip header
_ALGORITHM = "sha512-"


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
        ForgedError: It is not the published package.
        SourceError: It is no such package, or is too large.
    """
    taken = bytearray()

    def take(piece: bytes) -> None:
        taken.extend(piece)
        if len(taken) > max_bytes:
            raise unusable(f"{name} in it is larger than {max_bytes} bytes")

    found = pour(_inflated(body), {name}, take, max_bytes=unfolded_max_bytes)
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
        ForgedError: It is not the published package.
        SourceError: As `read_member`.
    """
    hashed = hash_poured(_inflated(body), names, max_bytes=unfolded_max_bytes)
    _check(body, integrity)
    return hashed


def _inflated(body: Body) -> Iterator[bytes]:
    """The package without its gzip layer, in pieces of at most `CHUNK_BYTES`."""
    gzip = zlib.decompressobj(_GZIP)
    packed = iter(body)
    while not gzip.eof:
        more = gzip.unconsumed_tail or next(packed, b"")
        try:
            piece = gzip.decompress(more, CHUNK_BYTES)
        except zlib.error as error:
            raise unusable("it is not packed with gzip") from error
        if piece:
            yield piece
        elif not more:
            return


def _check(body: Body, integrity: str) -> None:
    """Holds the whole package against what the registry document says of it."""
    for _ in body:
        pass  # its digest is of all of it
    stated = [item for item in integrity.split() if item.startswith(_ALGORITHM)]
    if not stated:
        raise unusable("the registry states no sha512 of it")
    try:
        digests = [
            base64.b64decode(item.removeprefix(_ALGORITHM), validate=True) for item in stated
        ]
    except binascii.Error as error:
        raise unusable("the registry states no sha512 of it") from error
    if not any(hmac.compare_digest(body.sha512, digest) for digest in digests):
        raise ForgedError(
            "a package has other bytes than the registry document states",
            advice="find out what changes packages between here and the registry: trust neither",
        )
