"""The program out of a macOS application as its archive streams by (facts 2.2).

``claude.app.tar.zst`` is a tar packed with Zstandard (RFC 8878). The manifest states size
and digest of the archive as it is downloaded, not of the program in it, whose bytes differ
from the plain program's where the application is signed. So the archive is hashed as it
arrives and the program as it unfolds; the second counts only if the first is as stated.
"""

import hashlib
import hmac
from collections.abc import Iterator

import zstandard

from server.fetch_body import CHUNK_BYTES, Body
from server.releases.manifest import Archive
from server.releases.sources.interface import ForgedError
from server.releases.unfolded import Hashed, UnpackError, hash_poured, unusable

ARCHIVE_MAX_BYTES = 512 << 20
"""Largest archive, in bytes; those of 2026 have about 130 million."""

UNFOLDED_MAX_BYTES = 2 << 30
"""Most bytes that an archive may unfold to."""

WINDOW_MAX_BYTES = 128 << 20
"""Most memory that unpacking may ask for, in bytes: zstd's own limit without ``--long``."""

PROGRAM = "claude.app/Contents/MacOS/claude"
"""The program's place in the archive."""


def hash_program(body: Body, stated: Archive) -> Hashed | None:
    """The digest of the program in an application; None if there is no program in it.

    Args:
        body: The archive, unread.
        stated: What the manifest says of the archive.

    Raises:
        ForgedError: The archive is not the stated one.
        SourceError: It is no such archive, goes beyond a limit, or breaks off.
    """
    archive = _Archive(body)
    try:
        hashed = hash_poured(
            _unpacked(archive), {PROGRAM, f"./{PROGRAM}"}, max_bytes=UNFOLDED_MAX_BYTES
        )
    except UnpackError:
        archive.check(stated)  # one that was exchanged is told as such
        raise
    archive.check(stated)
    return hashed


class _Archive:
    """The archive as something to read from, hashed on the way."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._digest = hashlib.sha256()
        self._count = 0

    def read(self, size: int) -> bytes:
        """The next bytes; never more than `CHUNK_BYTES`, which is what is asked for."""
        del size
        piece = self._body.read_some()
        self._digest.update(piece)
        self._count += len(piece)
        return piece

    def check(self, stated: Archive) -> None:
        """Reads to the end and holds all of it against the manifest."""
        while self.read(CHUNK_BYTES):
            pass
        same = hmac.compare_digest(self._digest.hexdigest(), stated.sha256)
        if not same or self._count != stated.size:
            raise ForgedError(
                "an application has other bytes than its manifest states",
                advice="find out what changes downloads between here and the bucket: trust neither",
            )


def _unpacked(archive: _Archive) -> Iterator[bytes]:
    """The tar in pieces of at most `CHUNK_BYTES`, however much a piece could unfold to."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX_BYTES)
    with unpacker.stream_reader(
        archive,  # type: ignore[arg-type] # it asks of a file only that it can be read
        read_size=CHUNK_BYTES,
        read_across_frames=True,
        closefd=False,
    ) as reader:
        while True:
            try:
                piece = reader.read(CHUNK_BYTES)
            except zstandard.ZstdError as error:
                raise unusable("it is not packed with zstd, or asks for too much memory") from error
            if not piece:
                return
            yield piece
