"""A renewed certificate: taken into use by a running server, which drops nothing for it."""

import signal
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from server.certificate import Certificate, check
from server.errors import SettingsError
from tests.e2e.waiting import wait_until
from tests.server.live import PATIENCE_S, Live

HALF = (
    b"POST /v1/enrolments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{"
)
"""A request of which one byte is still to come."""


class Place:
    """Where a server finds its certificate, and who issues it.

    Attributes:
        cert: The certificate's file.
        key: Its key's file.
        trusted: What a client trusts.
    """

    def __init__(self, folder: Path) -> None:
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self._authority = trustme.CA()
        self.trusted = ssl.create_default_context()
        self._authority.configure_trust(self.trusted)

    def issue(self) -> tuple[bytes, bytes]:
        """A new certificate with its key, as PEM."""
        issued = self._authority.issue_cert("127.0.0.1")
        return issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()

    def put(self, cert: bytes | None = None, key: bytes | None = None) -> None:
        """Puts one or both in place, each by a rename, as those who renew them do."""
        for path, data in ((self.cert, cert), (self.key, key)):
            if data is not None:
                fresh = path.with_suffix(".new")
                fresh.write_bytes(data)
                fresh.replace(path)

    @property
    def words(self) -> tuple[str, ...]:
        """The server's options."""
        return "--tls-cert", str(self.cert), "--tls-key", str(self.key)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place with a first certificate."""
    made = Place(tmp_path)
    made.put(*made.issue())
    return made


@pytest.fixture
def speaking(live: Live, place: Place) -> Iterator[Live]:
    """A server that speaks TLS with it."""
    live.start(*place.words)
    yield live
    assert live.stop() == 0
    assert "were cut off" not in live.log


def connect(live: Live, place: Place) -> ssl.SSLSocket:
    """A connection over TLS."""
    host, _, port = live.url.removeprefix("https://").rpartition(":")
    plain = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    return place.trusted.wrap_socket(plain, server_hostname=host)


def shown(live: Live, place: Place) -> bytes | None:
    """The certificate that a new connection is shown; None while one takes another's place."""
    try:
        with connect(live, place) as connection:
            return connection.getpeercert(binary_form=True)
    except ssl.SSLEOFError:
        # What is in the middle of its handshake at that moment is dropped.
        return None


def look(live: Live) -> None:
    """Has the server look at its certificate now, as ``systemctl reload`` does."""
    assert live.process is not None
    live.process.send_signal(signal.SIGHUP)


def der(cert: bytes) -> bytes:
    """A certificate in binary, out of PEM."""
    return ssl.PEM_cert_to_DER_cert(cert.decode())


def test_a_renewed_certificate_is_used_and_nothing_is_dropped(speaking: Live, place: Place) -> None:
    """A request that began under the old one is answered by the same process."""
    cert, key = place.issue()
    with connect(speaking, place) as under_way:
        under_way.sendall(HALF)
        place.put(cert, key)
        look(speaking)
        wait_until(lambda: shown(speaking, place) == der(cert))
        wait_until(lambda: "certificate renewed" in speaking.log)
        under_way.sendall(b"}")
        assert under_way.recv(65_536).startswith(b"HTTP/1.1 422 ")


def test_renewing_again_and_again_leaves_one_that_listens(speaking: Live, place: Place) -> None:
    """Each hand-over ends the one before."""
    for times in range(1, 4):
        cert, key = place.issue()
        place.put(cert, key)
        look(speaking)
        # A handshake at that very moment would be dropped.
        wait_until(lambda times=times: speaking.log.count("certificate renewed") == times)  # type: ignore[misc]
        wait_until(lambda cert=cert: shown(speaking, place) == der(cert))  # type: ignore[misc]
    assert "Traceback" not in speaking.log


def test_it_is_noticed_without_a_signal(speaking: Live, place: Place) -> None:
    """Who renews it need not know of this server."""
    cert, key = place.issue()
    place.put(cert, key)
    wait_until(lambda: shown(speaking, place) == der(cert))


def test_a_wrong_pair_is_said_once_and_the_old_one_stays(speaking: Live, place: Place) -> None:
    """Between the two files of a renewal, or after a mistake."""
    old = place.cert.read_bytes()
    cert, key = place.issue()
    place.put(cert)
    look(speaking)
    wait_until(lambda: "certificate not taken" in speaking.log)
    assert "belongs to it" in speaking.log
    look(speaking)
    assert shown(speaking, place) == der(old)
    place.put(key=key)
    look(speaking)
    wait_until(lambda: shown(speaking, place) == der(cert))
    assert speaking.log.count("certificate not taken") == 1


def test_a_key_that_only_openssl_knows_is_not_taken(speaking: Live, place: Place) -> None:
    """P-521: what Granian's TLS refuses would end the whole process."""
    old = place.cert.read_bytes()
    place.put(*_unusual())
    look(speaking)
    wait_until(lambda: "certificate not taken" in speaking.log)
    assert "a key is ECDSA P-256" in speaking.log
    assert shown(speaking, place) == der(old)


def test_such_a_key_at_the_start_is_refused(live: Live, place: Place) -> None:
    """With the same line, before anything listens."""
    place.put(*_unusual())
    done = live.run("serve", "--port", "0", *place.words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "a key is ECDSA P-256" in done.stderr


def test_another_pair_counts_when_two_looks_find_the_same(place: Place) -> None:
    """So that none is taken up while its files are being replaced."""
    certificate = Certificate(place.cert, place.key)
    assert not certificate.is_renewed()
    place.put(*place.issue())
    assert not certificate.is_renewed()
    assert certificate.is_changing
    place.put(*place.issue())
    assert not certificate.is_renewed()
    assert certificate.is_renewed()
    assert not certificate.is_changing
    assert not certificate.is_renewed()


def test_a_file_that_is_missing_is_refused_once(place: Place) -> None:
    """Then it is as if nothing had changed, until something does."""
    certificate = Certificate(place.cert, place.key)
    place.key.unlink()
    assert not certificate.is_renewed()
    with pytest.raises(SettingsError, match="No such file"):
        certificate.is_renewed()
    assert not certificate.is_renewed()
    place.put(*place.issue())
    assert [certificate.is_renewed() for _ in range(3)] == [False, True, False]


def test_a_key_with_a_password_is_refused_without_asking(place: Place) -> None:
    """Nobody sits at the server's terminal."""
    plain = load_pem_private_key(place.key.read_bytes(), None)
    locked = BestAvailableEncryption(b"a password")
    place.put(key=plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(SettingsError, match="cannot use"):
        check(place.cert, place.key)


def _unusual() -> tuple[bytes, bytes]:
    """A certificate of its own signing, and its key, on the curve P-521."""
    key = ec.generate_private_key(ec.SECP521R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), plain
