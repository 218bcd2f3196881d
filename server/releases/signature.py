"""Whether a release manifest was signed by the release keys that are pinned here. Pure.

Two signatures exist (facts 2.4). The raw one is RSASSA-PKCS1-v1_5 with SHA-512 over a fixed
prefix and the manifest's bytes, told in a small JSON document beside the manifest. The GPG
one is detached, over the bytes alone. A key counts only if it is the pinned one, whoever
hands it over: RSA by the SHA-256 of its SubjectPublicKeyInfo, OpenPGP by the fingerprint of
the certificate, whose signing subkeys may sign. Other certificates in a key file are left
out before anything is verified, so a right signature by another key is a wrong one.

No setting switches the pins: they are arguments so that tests can sign with keys of their own.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec
import pysequoia
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from server.errors import SourceError
from server.releases.sources.interface import ForgedError

KEY_MAX_BYTES = 65_536
"""Largest key file, in bytes."""

SIGNATURE_MAX_BYTES = 65_536
"""Largest signature file, in bytes: what the program itself accepts (2.1.330)."""

FIRST_GPG = "2.1.89"
"""The first version whose manifest has a GPG signature (facts 2.2)."""

FIRST_RAW = "2.1.207"
"""The first version whose manifests have raw signatures (facts 2.2)."""

_PREFIX = b"claude-code-manifest-v1\0"
_LOADERS: tuple[Callable[[bytes], object], ...] = (
    serialization.load_pem_public_key,
    serialization.load_der_public_key,
)
_FORGED_ADVICE = "trust nothing of this release from there until it is known who changed it"


@dataclass(frozen=True, slots=True)
class Pins:
    """The keys that releases are signed with (facts 2.4).

    Attributes:
        rsa_sha256: SHA-256 of the RSA key's SubjectPublicKeyInfo in DER, 64 hex digits.
        gpg_fingerprint: Of the OpenPGP certificate, 40 hex digits.
    """

    rsa_sha256: str = "89a24e2e18d2f8fa4627a0a47cf76c3682aef237b60d2cd115d6f5202e2e9896"
    gpg_fingerprint: str = "31ddde24ddfab679f42d7bd2baa929ff1a7ecace"


class _Sidecar(Struct, frozen=True, rename="camel"):
    schema: Literal[1]
    algorithm: Literal["RSASSA-PKCS1-v1_5-SHA512"]
    signature: str
    public_key_sha256: str


def pinned_rsa_key(file: bytes, pins: Pins) -> bytes:
    """The pinned key out of a key file, as SubjectPublicKeyInfo in DER.

    Args:
        file: PEM, or DER as this function gives it.
        pins: The keys that count.

    Raises:
        ForgedError: It is another key.
        SourceError: It is no key.
    """
    der = _rsa_key(file).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), pins.rsa_sha256):
        raise _forged("the release key that is served is not the pinned RSA key")
    return der


def pinned_certificate(file: bytes, pins: Pins) -> bytes:
    """The pinned certificate out of a key file, alone.

    Args:
        file: OpenPGP certificates, armoured or not.
        pins: The keys that count.

    Raises:
        ForgedError: It is not among them.
        SourceError: It holds no certificate.
    """
    try:
        certificates = pysequoia.Cert.split_bytes(file)
    except (RuntimeError, ValueError) as error:
        raise _unusable("the release key that is served is no OpenPGP certificate") from error
    # The fingerprint covers the primary key; its subkeys count by that key's own signatures.
    own = next((cert for cert in certificates if _has_pin(cert, pins)), None)
    if own is None:
        raise _forged("the release key that is served is not the pinned GPG key")
    return bytes(own)


def check_raw(manifest: bytes, sidecar: bytes, key: bytes, pins: Pins) -> None:
    """Holds a manifest against its raw signature.

    Args:
        manifest: Its very bytes.
        sidecar: The JSON document with the signature.
        key: As `pinned_rsa_key` gave it; it is held against the pin again.
        pins: The keys that count.

    Raises:
        ForgedError: The signature, or the key that it names, is wrong.
        SourceError: It is no such document.
    """
    told = _sidecar(sidecar)
    public = _rsa_key(pinned_rsa_key(key, pins))
    if told.public_key_sha256 != pins.rsa_sha256:
        raise _forged("a manifest is signed with another key than the pinned RSA key")
    try:
        public.verify(
            _signature(told.signature), _PREFIX + manifest, padding.PKCS1v15(), hashes.SHA512()
        )
    except InvalidSignature as error:
        raise _forged("a manifest does not have the bytes that were signed") from error


def check_gpg(manifest: bytes, signature: bytes, key: bytes, pins: Pins) -> None:
    """Holds a manifest against its detached GPG signature.

    Args:
        manifest: Its very bytes.
        signature: Armoured or not.
        key: As `pinned_certificate` gave it; it is held against the pin again.
        pins: The keys that count.

    Raises:
        ForgedError: It is not a signature by the pinned certificate over these bytes.
        SourceError: It is no signature.
    """
    own = pysequoia.Cert.from_bytes(pinned_certificate(key, pins))
    try:
        read = pysequoia.Sig.from_bytes(signature)
    except (RuntimeError, ValueError) as error:
        raise _unusable("the signature of a manifest is no OpenPGP signature") from error
    try:
        verified = pysequoia.verify(bytes=manifest, store=lambda _: [own], signature=read)
    except (RuntimeError, ValueError) as error:
        # The library has one error for wrong bytes, a wrong key and a weak algorithm.
        raise _forged("a manifest is not signed by the pinned GPG key as it stands") from error
    if not any(valid.certificate == pins.gpg_fingerprint for valid in verified.valid_sigs):
        raise _forged("a manifest is signed by another key than the pinned GPG key")


def _has_pin(certificate: pysequoia.Cert, pins: Pins) -> bool:
    return hmac.compare_digest(certificate.fingerprint, pins.gpg_fingerprint)


def _rsa_key(file: bytes) -> RSAPublicKey:
    for load in _LOADERS:
        try:
            key = load(file)
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, RSAPublicKey):
            return key
    raise _unusable("the release key that is served is no RSA key")


def _sidecar(document: bytes) -> _Sidecar:
    try:
        return msgspec.json.decode(document, type=_Sidecar)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unusable("the signature of a manifest cannot be read") from error


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unusable("the signature of a manifest is no base64") from error


def _forged(what: str) -> ForgedError:
    return ForgedError(what, advice=_FORGED_ADVICE)


def _unusable(what: str) -> SourceError:
    return SourceError(what, advice="see whether a proxy stands in between; it is tried again")
