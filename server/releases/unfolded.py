"""One file out of a tar archive as it streams by, with everything bounded.

Nothing is written to disk and no other member is looked at. Unpacked bytes are counted, so a
small archive cannot unfold without end; a header that asks for a large piece at once is
refused; members are counted, since empty ones cost nothing to send. Who unpacks hands in
pieces of at most some ten thousand bytes, whatever the packing.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import IO, cast

from server.errors import SourceError
from server.fetch_body import CHUNK_BYTES

MEMBERS_MAX = 10_000
"""Most members of an archive that are passed over."""

PIECE_MAX_BYTES = 1_048_576
"""Most bytes that a member's extended header may have."""


class UnpackError(SourceError):
    """An archive arrived and is none, or goes beyond a limit."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """What a member's bytes are.

    Attributes:
        sha256: 64 hex digits.
        size: Bytes.
    """

    sha256: str
    size: int


def pour(
    pieces: Iterator[bytes],
    names: Collection[str],
    take: Callable[[bytes], None],
    *,
    max_bytes: int,
) -> bool:
    """Gives the bytes of the first member with one of these names to `take`.

    Args:
        pieces: The unpacked archive; the rest of it is left unread.
        names: Whole names.
        take: Gets the member's bytes, piece by piece.
        max_bytes: Most bytes that the archive may unfold to.

    Returns:
        Whether there is such a member.

    Raises:
        UnpackError: It is no such archive, or goes beyond a limit.
        SourceError: It did not arrive.
    """
    unfolded = cast("IO[bytes]", _Unfolded(pieces, max_bytes))
    try:
        with tarfile.open(fileobj=unfolded, mode="r:") as tar:
            return _pour_member(tar, names, take)
    # The library reads the header after an extended one by calling itself.
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise unusable(type(error).__name__) from error


def hash_poured(
    pieces: Iterator[bytes], names: Collection[str], *, max_bytes: int
) -> Hashed | None:
    """The digest of the first member with one of these names; None if there is none.

    Args:
        pieces: As for `pour`.
        names: As for `pour`.
        max_bytes: As for `pour`.

    Raises:
        UnpackError: As `pour`.
        SourceError: As `pour`.
    """
    digest = hashlib.sha256()
    size = 0

    def take(piece: bytes) -> None:
        nonlocal size
        digest.update(piece)
        size += len(piece)

    found = pour(pieces, names, take, max_bytes=max_bytes)
    return Hashed(digest.hexdigest(), size) if found else None


def unusable(why: str) -> UnpackError:
    """An archive of which nothing can be told."""
    return UnpackError(
        f"a package cannot be used: {why}",
        advice="see whether the source is the right one; it is tried again",
    )


class _Unfolded(io.RawIOBase):
    """The unpacked archive as a file that is read forwards only."""

    def __init__(self, pieces: Iterator[bytes], max_bytes: int) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = max_bytes
        self._ready = b""
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= PIECE_MAX_BYTES:
            raise unusable("a header in it asks for too large a piece")
        taken = bytearray()
        while len(taken) < size and (piece := self._some(size - len(taken))):
            taken += piece
        return bytes(taken)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or offset < self._at:
            raise unusable("its members are not in one row")
        while self._at < offset and self._some(offset - self._at):
            pass
        return self._at

    def tell(self) -> int:
        return self._at

    def _some(self, size: int) -> bytes:
        if not self._ready:
            self._ready = next(self._pieces, b"")
            self._left -= len(self._ready)
            if self._left < 0:
                raise unusable("it unfolds to more than its limit")
        piece, self._ready = self._ready[:size], self._ready[size:]
        self._at += len(piece)
        return piece


def _pour_member(
    tar: tarfile.TarFile, names: Collection[str], take: Callable[[bytes], None]
) -> bool:
    for count, member in enumerate(tar):
        if count >= MEMBERS_MAX:
            raise unusable(f"it has more than {MEMBERS_MAX} members")
        # The holes of a sparse member are bytes that nobody sent, as many as it claims.
        if member.name in names and member.isreg() and not member.issparse():
            file = tar.extractfile(member)
            while file is not None and (piece := file.read(CHUNK_BYTES)):
                take(piece)
            return True
    return False
