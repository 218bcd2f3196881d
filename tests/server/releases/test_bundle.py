"""Applications as they stream by: the archive is held against what is stated of it."""

import hashlib
import io
import tarfile

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from server.errors import SourceError
from server.fetch_body import Body, Limits
from server.releases.bundle import PROGRAM, UNFOLDED_MAX_BYTES, hash_program
from server.releases.manifest import Archive
from server.releases.sources.interface import ForgedError
from server.releases.unfolded import Hashed
from tests.server.releases.repository import application


class _Wire:
    """An answer that is already there."""

    def __init__(self, body: bytes) -> None:
        self._body = io.BytesIO(body)

    def read1(self, amt: int, /, *, decode_content: bool) -> bytes:
        """The next bytes."""
        assert not decode_content
        return self._body.read1(amt)


def _stated(archive: bytes) -> Archive:
    return Archive(hashlib.sha256(archive).hexdigest(), len(archive))


def _hash(archive: bytes, stated: Archive | None = None) -> Hashed | None:
    limits = Limits(1 << 30, 60.0)
    body = Body(_Wire(archive), limits, "an application", ends_at=float("inf"))
    return hash_program(body, stated or _stated(archive))


@given(st.binary(max_size=200_000))
def test_the_program_is_hashed_not_the_archive(program: bytes) -> None:
    """Its size and digest, whatever it is."""
    sha256 = hashlib.sha256(program).hexdigest()
    assert _hash(application(program)) == Hashed(sha256, len(program))


@pytest.mark.parametrize("name", [PROGRAM, f"./{PROGRAM}"])
def test_the_program_has_one_place(name: str) -> None:
    """Written either way; a like-named file elsewhere is not it."""
    assert _hash(application(b"x", name)) == Hashed(hashlib.sha256(b"x").hexdigest(), 1)
    assert _hash(application(b"x", f"other/{PROGRAM}")) is None


def test_an_archive_of_several_frames_is_one_archive() -> None:
    """As parallel packers write it (RFC 8878 section 3.1)."""
    tar = zstandard.decompress(application(b"program"))
    packed = b"".join(zstandard.compress(tar[at : at + 1_000]) for at in range(0, len(tar), 1_000))
    found = _hash(packed)
    assert found is not None
    assert found.size == 7


def test_another_archive_is_forged() -> None:
    """Also where it cannot even be unpacked."""
    stated = _stated(application(b"program"))
    for other in (application(b"another"), b"junk", b""):
        with pytest.raises(ForgedError, match="other bytes"):
            _hash(other, stated)


def test_a_right_digest_with_another_size_is_forged() -> None:
    """The manifest states both."""
    archive = application(b"program")
    stated = _stated(archive)
    with pytest.raises(ForgedError):
        _hash(archive, Archive(stated.sha256, stated.size + 1))


@given(st.data())
def test_a_cut_archive_never_tells_anything(data: st.DataObject) -> None:
    """Whatever is stated of it."""
    whole = application(b"program" * 50)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ForgedError):
        _hash(cut, _stated(whole))
    try:
        assert _hash(cut) is None
    except SourceError as error:
        assert not isinstance(error, ForgedError)  # noqa: PT017 - either end is right


def test_a_bomb_is_not_unfolded() -> None:
    """A hundred thousand bytes that would become gigabytes are refused at the limit."""
    packed = io.BytesIO()
    header = tarfile.TarInfo("claude.app/x")
    header.size = UNFOLDED_MAX_BYTES * 2
    zeros = bytes(1 << 20)
    with zstandard.ZstdCompressor(level=1).stream_writer(packed, closefd=False) as writer:
        writer.write(header.tobuf())
        for _ in range((UNFOLDED_MAX_BYTES >> 20) + 2):
            writer.write(zeros)
    bomb = packed.getvalue()
    assert len(bomb) < UNFOLDED_MAX_BYTES // 10_000
    with pytest.raises(SourceError, match="unfolds to more"):
        _hash(bomb)


def test_a_window_beyond_the_limit_is_refused() -> None:
    """What unpacking may remember is bounded before it begins."""
    wanted = zstandard.ZstdCompressionParameters(window_log=29)
    packer = zstandard.ZstdCompressor(compression_params=wanted).compressobj()
    archive = packer.compress(zstandard.decompress(application(b"program"))) + packer.flush()
    with pytest.raises(SourceError, match="too much memory"):
        _hash(archive)


def test_what_is_not_packed_so_is_refused() -> None:
    """Right bytes by their digest, and no archive: somebody stated nonsense."""
    for nonsense in (b"", b"<html>", zstandard.compress(b""), zstandard.compress(b"x" * 2_000)):
        with pytest.raises(SourceError) as told:
            _hash(nonsense)
        assert not isinstance(told.value, ForgedError)
