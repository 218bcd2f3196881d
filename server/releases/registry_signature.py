"""Whether a registry signed what it states of a package. Pure.

The signature is ECDSA on P-256 with SHA-256 over ``name@version:integrity``; the keys are the
registry's own, in a document at ``/-/npm/v1/keys`` (npm docs, "About registry signatures").
So it vouches against a mirror that exchanges packages, not against the registry, and makes
the integrity no more than `registry`. A key that expired before the publication is not
accepted; where that time is not known it is, as npm itself does it.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from msgspec import Struct

from server.errors import SourceError
from server.releases.manifest import instant
from server.releases.sources.interface import ForgedError

KEYS_MAX_BYTES = 65_536
"""Largest document of keys, in bytes."""

_SCHEME = "ecdsa-sha2-nistp256"


class Signature(Struct, frozen=True):
    """One of ``dist.signatures``.

    Attributes:
        keyid: Names the key.
        sig: ASN.1 DER in base64.
    """

    keyid: str
    sig: str


class _Key(Struct, frozen=True):
    keyid: str
    key: str = ""
    scheme: str = ""
    expires: object = None


class _Document(Struct, frozen=True):
    keys: list[_Key]


@dataclass(frozen=True, slots=True)
class RegistryKey:
    """A key that a registry signs with.

    Attributes:
        keyid: Its name.
        public: The key.
        expires_at: Until when what it signed counts; None for ever.
    """

    keyid: str
    public: ec.EllipticCurvePublicKey
    expires_at: int | None


def read_keys(document: bytes) -> tuple[RegistryKey, ...]:
    """The keys that a registry shows; one that cannot be used is left out.

    Raises:
        SourceError: It is no such document.
    """
    try:
        told = msgspec.json.decode(document, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(
            "the npm registry's keys cannot be read",
            advice="see whether a proxy stands in between; it is tried again",
        ) from error
    return tuple(
        RegistryKey(key.keyid, public, _expiry(key.expires))
        for key in told.keys
        if key.scheme == _SCHEME and (public := _public(key.key)) is not None
    )


def is_signed(
    subject: str,
    signatures: Iterable[Signature],
    keys: Iterable[RegistryKey],
    published_at: int | None,
) -> bool:
    """Whether an accepted key signed this; False where none of them has a word on it.

    Args:
        subject: ``name@version:integrity``.
        signatures: Those that the registry shows of it.
        keys: Those that the registry shows.
        published_at: Seconds since the epoch, where it is known.

    Raises:
        ForgedError: A signature by an accepted key is wrong.
    """
    accepted = {key.keyid: key.public for key in keys if not _had_expired(key, published_at)}
    known = [item for item in signatures if item.keyid in accepted]
    for item in known:
        _verify(subject, item, accepted[item.keyid])
    return bool(known)


def _verify(subject: str, signature: Signature, key: ec.EllipticCurvePublicKey) -> None:
    try:
        value = base64.b64decode(signature.sig, validate=True)
        key.verify(value, subject.encode(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        name = subject.rpartition(":")[0]
        raise ForgedError(
            f"what the npm registry states of {name} is not what it signed",
            advice="find out what changes answers between here and the registry: trust neither",
        ) from error


def _had_expired(key: RegistryKey, published_at: int | None) -> bool:
    if key.expires_at is None or published_at is None:
        return False
    return key.expires_at <= published_at


def _expiry(told: object) -> int | None:
    """An expiry that cannot be read is long past."""
    return None if told is None else instant(told) or 0


def _public(text: str) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    return None
