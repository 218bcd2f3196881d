"""Signatures of manifests: whose count, over which bytes, and what is no signature."""

import base64
import functools
import json
from pathlib import Path

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia.packet import PacketPile, Tag

from server.errors import SourceError
from server.releases.signature import (
    Pins,
    check_gpg,
    check_raw,
    pinned_certificate,
    pinned_rsa_key,
)
from server.releases.sources.interface import ForgedError
from tests.server.releases.repository import Signer, signer

KEYS = Path(__file__).parents[2] / "golden" / "keys"
MANIFEST = b'{"version": "2.1.330"}'


def _rsa(by: Signer) -> bytes:
    return pinned_rsa_key(by.rsa_file, by.pins)


def _gpg(by: Signer) -> bytes:
    return pinned_certificate(by.gpg_file, by.pins)


def test_the_real_key_is_the_pinned_one() -> None:
    """The key in the program of 2.1.330, by its SubjectPublicKeyInfo (facts 2.4)."""
    file = (KEYS / "claude-code.rsa.pub").read_bytes()
    der = pinned_rsa_key(file, Pins())
    assert pinned_rsa_key(der, Pins()) == der


def test_the_pinned_certificate_is_the_documented_one() -> None:
    """The fingerprint as facts 2.4 prints it."""
    documented = "31DD DE24 DDFA B679 F42D 7BD2 BAA9 29FF 1A7E CACE"
    assert documented.replace(" ", "").lower() == Pins().gpg_fingerprint


def test_a_raw_signature_holds_over_the_very_bytes() -> None:
    """And over no others."""
    by = signer()
    sidecar = by.raw(MANIFEST)
    check_raw(MANIFEST, sidecar, _rsa(by), by.pins)
    for other in (MANIFEST + b"\n", b"", MANIFEST.replace(b"330", b"331")):
        with pytest.raises(ForgedError, match="bytes that were signed"):
            check_raw(other, sidecar, _rsa(by), by.pins)


def test_a_gpg_signature_holds_over_the_very_bytes() -> None:
    """Armoured or not, by the pinned certificate's signing subkey."""
    by = signer()
    armoured = by.detached(MANIFEST)
    for signature in (armoured, bytes(pysequoia.Sig.from_bytes(armoured))):
        check_gpg(MANIFEST, signature, _gpg(by), by.pins)
        with pytest.raises(ForgedError, match="pinned GPG key"):
            check_gpg(MANIFEST + b" ", signature, _gpg(by), by.pins)


def test_a_raw_signature_by_another_key_is_forged() -> None:
    """Whether it names its own key or the pinned one."""
    by, other = signer(), signer("other")
    with pytest.raises(ForgedError, match="another key"):
        check_raw(MANIFEST, other.raw(MANIFEST), _rsa(by), by.pins)
    named = json.loads(other.raw(MANIFEST)) | {"publicKeySha256": by.pins.rsa_sha256}
    with pytest.raises(ForgedError, match="bytes that were signed"):
        check_raw(MANIFEST, json.dumps(named).encode(), _rsa(by), by.pins)


def test_a_gpg_signature_by_another_key_is_forged() -> None:
    """Right in itself, and not by the pinned certificate."""
    by, other = signer(), signer("other")
    with pytest.raises(ForgedError, match="pinned GPG key"):
        check_gpg(MANIFEST, other.detached(MANIFEST), _gpg(by), by.pins)


@pytest.mark.parametrize("first", ["release", "other"])
def test_another_certificate_in_the_key_file_does_not_count(first: str) -> None:
    """What the pinned one signed holds; what its neighbour signed does not."""
    by, other = signer(), signer("other")
    files = [by.gpg_file, other.gpg_file]
    key = pinned_certificate(b"".join(files if first == "release" else files[::-1]), by.pins)
    check_gpg(MANIFEST, by.detached(MANIFEST), key, by.pins)
    with pytest.raises(ForgedError):
        check_gpg(MANIFEST, other.detached(MANIFEST), key, by.pins)
    assert len(pysequoia.Cert.split_bytes(key)) == 1


def test_a_foreign_subkey_on_the_pinned_certificate_does_not_sign() -> None:
    """The fingerprint is right; the primary key never vouched for that subkey."""
    by, other = signer(), signer("other")
    foreign = list(PacketPile.from_bytes(bytes(other.gpg.extract_certificate())))
    first = next(at for at, packet in enumerate(foreign) if packet.tag == Tag.PublicSubkey)
    glued = bytes(by.gpg.extract_certificate()) + b"".join(map(bytes, foreign[first:]))
    key = pinned_certificate(glued, by.pins)
    check_gpg(MANIFEST, by.detached(MANIFEST), key, by.pins)
    with pytest.raises(ForgedError):
        check_gpg(MANIFEST, other.detached(MANIFEST), key, by.pins)


def test_a_key_with_another_digest_is_forged() -> None:
    """Nobody's word makes it the pinned one, also not when it was kept."""
    by, other = signer(), signer("other")
    with pytest.raises(ForgedError, match="not the pinned RSA key"):
        pinned_rsa_key(other.rsa_file, by.pins)
    with pytest.raises(ForgedError, match="not the pinned GPG key"):
        pinned_certificate(other.gpg_file, by.pins)
    with pytest.raises(ForgedError, match="not the pinned RSA key"):
        check_raw(MANIFEST, other.raw(MANIFEST), _rsa(other), by.pins)
    with pytest.raises(ForgedError, match="not the pinned GPG key"):
        check_gpg(MANIFEST, other.detached(MANIFEST), _gpg(other), by.pins)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": "1"},
        {"schema": True},
        {"algorithm": "none"},
        {"algorithm": None},
        {"signature": 17},
        {"signature": "%%%"},
        {"signature": None},
        {"publicKeySha256": []},
    ],
)
def test_a_wrong_typed_sidecar_is_no_signature(change: dict[str, object]) -> None:
    """It is neither taken for a right one nor for a missing one."""
    by = signer()
    told = json.loads(by.raw(MANIFEST)) | change
    with pytest.raises(SourceError) as error:
        check_raw(MANIFEST, json.dumps(told).encode(), _rsa(by), by.pins)
    assert not isinstance(error.value, ForgedError)


@pytest.mark.parametrize("junk", [b"", b"<html>", b"[" * 60_000, b"\xff" * 100])
def test_junk_is_no_signature_and_no_key(junk: bytes) -> None:
    """One kind of error, and no crash, whatever lies there."""
    by = signer()
    with pytest.raises(SourceError):
        check_raw(MANIFEST, junk, _rsa(by), by.pins)
    with pytest.raises(SourceError):
        check_gpg(MANIFEST, junk, _gpg(by), by.pins)
    with pytest.raises(SourceError):
        pinned_rsa_key(junk, by.pins)
    with pytest.raises(SourceError):
        pinned_certificate(junk, by.pins)


@functools.cache
def _raw_once() -> dict[str, str]:
    told: dict[str, str] = json.loads(signer().raw(MANIFEST))
    return told


@functools.cache
def _gpg_once() -> bytes:
    # Signatures are salted, so that two of them differ in length.
    return bytes(pysequoia.Sig.from_bytes(signer().detached(MANIFEST)))


@given(st.integers(0, 255), st.integers(1, 255))
def test_a_bent_raw_signature_is_forged(place: int, change: int) -> None:
    """One byte of it is enough."""
    by = signer()
    value = bytearray(base64.b64decode(_raw_once()["signature"]))
    value[place] ^= change
    bent = _raw_once() | {"signature": base64.b64encode(value).decode()}
    with pytest.raises(ForgedError):
        check_raw(MANIFEST, json.dumps(bent).encode(), _rsa(by), by.pins)


@given(st.data())
def test_a_cut_gpg_signature_is_never_taken(data: st.DataObject) -> None:
    """Wherever it ends early, it is forged or no signature."""
    by = signer()
    cut = _gpg_once()[: data.draw(st.integers(0, len(_gpg_once()) - 1))]
    with pytest.raises(SourceError):
        check_gpg(MANIFEST, cut, _gpg(by), by.pins)
