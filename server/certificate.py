"""The TLS certificate and its key as they lie on disk, noticed when they are renewed.

Whoever renews them replaces two files, one after the other. So a change is taken up only when
two looks in a row find the same; a pair that cannot be used is refused, once, and looked at
again when either file has changed. What is in use meanwhile stays in use.

Granian ends the whole process when its TLS library refuses a pair, so everything for which
that one is known to refuse is looked for before:
https://docs.rs/rustls/latest/rustls/crypto/ring/sign/fn.any_supported_type.html and
https://docs.rs/rustls-webpki/latest/webpki/enum.Error.html
"""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtensionOID

from server.errors import SettingsError

LOOK_EVERY_S = 10.0
"""Seconds between two looks at the files; SIGHUP has them looked at at once."""

QUIET_S = 1.0
"""Seconds between the two looks that have to find the same."""

FILE_MAX_BYTES = 1_048_576
"""Largest file of a certificate and its chain, in bytes."""

_State = tuple[tuple[int, int, int, int] | None, ...]

_EXTENSIONS = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
"""What may be marked as critical."""

_RSA_BITS = range(2_048, 4_097)


class Certificate:
    """A certificate with its key, as of the last two looks.

    Args:
        cert: PEM file of the certificate and its chain.
        key: PEM file of its key.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._judged = self._last = self._state()

    @property
    def is_changing(self) -> bool:
        """Whether the last look found something new, for which it needs a second one."""
        return self._last != self._judged

    def is_renewed(self) -> bool:
        """Looks whether there is another pair, and it can be used.

        Raises:
            SettingsError: There is another one, and it cannot be used.
        """
        before, self._last = self._last, self._state()
        if self._last == self._judged or self._last != before:
            return False
        self._judged = self._last
        check(self._cert, self._key)
        return True

    def _state(self) -> _State:
        return tuple(_state_of(path) for path in (self._cert, self._key))


def check(cert: Path, key: Path) -> None:
    """Sees that a certificate and its key can be used.

    Raises:
        SettingsError: One cannot be read, the key needs a password, they do not belong
            together, or they are of a kind that Granian's TLS does not know.
    """
    try:
        # Without a password of ours, OpenSSL would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
        with cert.open("rb") as stream:
            chain = x509.load_pem_x509_certificates(stream.read(FILE_MAX_BYTES))
        reason = _unknown(chain[0])
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if reason:
        raise SettingsError(
            f"cannot use the certificate and key {cert} and {key}: {reason}",
            advice="name a readable PEM certificate with the key that belongs to it",
        )


def _unknown(certificate: x509.Certificate) -> str | None:
    if certificate.version is not x509.Version.v3:
        return "the certificate is not of X.509 version 3"
    critical = {each.oid for each in certificate.extensions if each.critical}
    if critical - _EXTENSIONS:
        return "the certificate has a critical extension that is not known"
    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            is_known = key.key_size in _RSA_BITS
        case ec.EllipticCurvePublicKey():
            is_known = isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
        case _:
            is_known = isinstance(key, ed25519.Ed25519PublicKey)
    return None if is_known else "a key is ECDSA P-256 or P-384, RSA of 2048 to 4096 bits, Ed25519"


def _state_of(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
