"""Packages as they stream by: what is taken, and what is never swallowed."""

import base64
import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from server.errors import SourceError
from server.fetch import Fetcher
from server.fetch_body import Body, Limits
from server.releases import tarball
from server.releases.unfolded import Hashed

UNFOLDED_MAX = 4 << 20
PATH = "/x.tgz"

Taken = Callable[[bytes, str], bytes | None]


class _Wire:
    """An answer that is already there."""

    def __init__(self, body: bytes) -> None:
        self._body = io.BytesIO(body)

    def read1(self, amt: int, /, *, decode_content: bool) -> bytes:
        """The next bytes."""
        assert not decode_content
        return self._body.read1(amt)


def _body(data: bytes) -> Body:
    return Body(_Wire(data), Limits(1 << 30, 60.0), "a package", ends_at=float("inf"))


def _pack(*members: tuple[str, bytes], **header: object) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", **header) as tar:  # type: ignore[call-overload]
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return packed.getvalue()


def _integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _read(data: bytes, integrity: str | None = None, max_bytes: int = 1_000) -> bytes | None:
    return tarball.read_member(
        _body(data),
        "package/manifest.json",
        integrity or _integrity(data),
        max_bytes=max_bytes,
        unfolded_max_bytes=UNFOLDED_MAX,
    )


def _hash(data: bytes, *names: str) -> Hashed | None:
    return tarball.hash_member(
        _body(data), names, _integrity(data), unfolded_max_bytes=UNFOLDED_MAX
    )


def test_a_member_streams_out_of_a_served_package(httpserver: HTTPServer) -> None:
    """Over HTTP, between members that are not looked at."""
    data = _pack(("package/a", b"a" * 9_999), ("package/manifest.json", b"{}"), ("b", b"b"))
    httpserver.expect_request(PATH).respond_with_data(data)
    fetcher = Fetcher(httpserver.url_for(""))
    with fetcher.stream(httpserver.url_for(PATH), Limits(1 << 20, 20.0)) as body:
        found = tarball.read_member(
            body,
            "package/manifest.json",
            _integrity(data),
            max_bytes=10,
            unfolded_max_bytes=UNFOLDED_MAX,
        )
    assert found == b"{}"


@given(st.lists(st.binary(max_size=3_000), max_size=5), st.binary(max_size=3_000))
def test_a_member_is_found_wherever_it_lies(others: list[bytes], wanted: bytes) -> None:
    """Its bytes and its digest, whatever is before and after it."""
    before = [(f"package/{number}", body) for number, body in enumerate(others)]
    data = _pack(*before, ("package/manifest.json", wanted), ("package/last", b"z"))
    assert _read(data, max_bytes=3_000) == wanted
    assert _hash(data, "package/manifest.json") == Hashed(
        hashlib.sha256(wanted).hexdigest(), len(wanted)
    )


def test_a_package_without_the_member_has_none() -> None:
    """Neither a like-named member elsewhere nor a link counts."""
    link = tarfile.TarInfo("package/manifest.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.addfile(link)
        for name in ("manifest.json", "package/x/manifest.json", "package/../manifest.json"):
            tar.addfile(tarfile.TarInfo(name))
    assert _read(packed.getvalue()) is None
    assert _hash(packed.getvalue(), "package/cli.js", "package/cli.mjs") is None


def test_the_first_of_several_names_is_hashed() -> None:
    """Older packages had ``cli.mjs`` in place of ``cli.js``."""
    data = _pack(("package/cli.mjs", b"old"))
    assert _hash(data, "package/cli.js", "package/cli.mjs") == Hashed(
        hashlib.sha256(b"old").hexdigest(), 3
    )


@pytest.mark.parametrize("stated", ["sha512-" + "A" * 86 + "==", "sha1-AAAA", "", "sha512-%%%"])
def test_a_package_with_another_digest_is_not_believed(stated: str) -> None:
    """Its content counts only with the sha512 that the registry states."""
    data = _pack(("package/manifest.json", b"{}"))
    with pytest.raises(SourceError):
        _read(data, stated or " ")


def test_one_right_digest_of_several_is_enough() -> None:
    """A registry may state several (W3C Subresource Integrity)."""
    data = _pack(("package/manifest.json", b"{}"))
    assert _read(data, f"sha1-x sha512-{'A' * 86}== {_integrity(data)}") == b"{}"


def test_a_bomb_is_not_unfolded() -> None:
    """A small package that would unfold without end is refused at its limit."""
    bomb = gzip.compress(_tar_of("package/big", bytes(UNFOLDED_MAX * 4)))
    assert len(bomb) < UNFOLDED_MAX // 100
    with pytest.raises(SourceError, match="unfolds"):
        _read(bomb)


def test_a_member_beyond_its_limit_is_refused() -> None:
    """A manifest is small; a large one is not read into memory."""
    with pytest.raises(SourceError, match="larger than 1000 bytes"):
        _read(_pack(("package/manifest.json", bytes(1_001))))


@given(st.data())
def test_a_cut_package_never_tells_anything(data: st.DataObject) -> None:
    """Wherever it ends early, its digest is another one."""
    whole = _pack(("package/a", b"a" * 600), ("package/manifest.json", b"{}"))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(SourceError):
        _read(whole[:cut], _integrity(whole))


@given(st.binary(max_size=2_000))
def test_any_bytes_are_one_kind_of_error_or_no_member(junk: bytes) -> None:
    """Also behind a right gzip layer, and as a tar header."""
    for data in (junk, gzip.compress(junk), gzip.compress(junk.ljust(2_048, b"\0"))):
        try:
            assert _read(data) is None
        except SourceError as error:
            assert error.advice  # noqa: PT017 - either end is right


@given(st.integers(0, 511), st.integers(0, 255))
def test_a_bent_header_is_one_kind_of_error_or_no_member(place: int, byte: int) -> None:
    """One byte of the tar header changed, with its checksum made right again."""
    header = bytearray(tarfile.TarInfo("package/manifest.json").tobuf())
    header[place] = byte
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = gzip.compress(bytes(header) + bytes(2_048))
    try:
        assert _read(data) in {None, b""}
    except SourceError as error:
        assert error.advice  # noqa: PT017 - either end is right


def _tar_of(name: str, body: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(body)
    return info.tobuf() + body + bytes(1_024)
