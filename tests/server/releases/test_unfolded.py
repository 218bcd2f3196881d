"""The bounds of reading an archive, whatever it is packed with."""

import hashlib
import io
import tarfile

import pytest

from server.errors import SourceError
from server.releases.unfolded import MEMBERS_MAX, PIECE_MAX_BYTES, Hashed, hash_poured

UNFOLDED_MAX = 1 << 20


def _hash(data: bytes, name: str = "x", max_bytes: int = UNFOLDED_MAX) -> Hashed | None:
    pieces = iter([data[at : at + 7_001] for at in range(0, len(data), 7_001)])
    return hash_poured(pieces, {name}, max_bytes=max_bytes)


def _tar(name: str, body: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(body)
        tar.addfile(info, io.BytesIO(body))
    return packed.getvalue()


def test_a_member_is_hashed_and_measured() -> None:
    """Whatever the pieces that it comes in."""
    body = bytes(range(256)) * 100
    assert _hash(_tar("x", body)) == Hashed(hashlib.sha256(body).hexdigest(), len(body))
    assert _hash(_tar("y", body)) is None


def test_an_archive_beyond_its_limit_is_refused() -> None:
    """It is counted as it unfolds, also where nothing is looked at."""
    for name in ("x", "y"):
        with pytest.raises(SourceError, match="unfolds to more"):
            _hash(_tar(name, bytes(UNFOLDED_MAX)))


def test_holes_that_a_member_claims_to_have_are_not_hashed() -> None:
    """GNU's sparse members (tar manual, "Sparse Formats") unfold to any size after unpacking."""
    info = tarfile.TarInfo("x")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(format=tarfile.GNU_FORMAT))
    header[483:495] = b"%011o\0" % (UNFOLDED_MAX * 4)  # its real size, where its map ends
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert _hash(bytes(header) + bytes(1_024)) is None


def test_a_header_that_asks_for_too_much_is_refused() -> None:
    """An extended header is read at once, so its size is bounded."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, PIECE_MAX_BYTES * 3
    data = info.tobuf() + bytes(info.size) + bytes(1_024)
    with pytest.raises(SourceError, match="too large a piece"):
        _hash(data, max_bytes=1 << 30)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_extended_headers_in_a_long_row_are_refused(kind: bytes) -> None:
    """Each is about the next one, so that reading them nests as deep as the row is long."""
    info = tarfile.TarInfo("x")
    info.type, record = kind, b"10 path=x\n"
    info.size = len(record)
    data = (info.tobuf() + record.ljust(512, b"\0")) * 3_000
    with pytest.raises(SourceError, match="RecursionError"):
        _hash(data + _tar("x", b"x"), max_bytes=1 << 30)


def test_members_without_end_are_refused() -> None:
    """Empty members cost nothing to send, so they are counted."""
    header = tarfile.TarInfo("x").tobuf()
    with pytest.raises(SourceError, match="more than 10000 members"):
        _hash(header * (MEMBERS_MAX + 10), "y", max_bytes=1 << 30)
