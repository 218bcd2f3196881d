"""What a registry signs: the real vector, and every signature that is none."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from server.errors import SourceError
from server.releases.registry_signature import RegistryKey, Signature, is_signed, read_keys
from server.releases.sources.interface import ForgedError

# The public registry's key until 2025-01-29 and what it signed (npm/pacote, test/registry.js).
REAL_KEYID = "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA"
REAL_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtl"
    "WwW6KSaKoTNEYL7JlCQiVnkhBktUgg=="
)
REAL_SIGNATURE = Signature(
    REAL_KEYID,
    "MEQCIHXwKYe70+xcDOvFhM1etZQFUKEwz9VarppUbp5/Ie1+AiAM7aZcT1a2JR0oF/XwjNb13YEHwiagnDapLgYbklRvtA==",
)
REAL_SUBJECT = (
    "@isaacs/namespace-test@1.0.0:sha512-5ZYe1LgwHIaag0p9loMwsf5N/wJ4XAuHVNhSO+qulQOXWnyJVuco6IZjo"
    "+5u4ZLF/GimdHJcX+QK892ONfOCqQ=="
)

EXPIRES = "2025-01-29T00:00:00.000Z"
EXPIRES_AT = 1_738_108_800
SUBJECT = "@x/y@1.0.0:sha512-AAAA"


def _key(text: str = REAL_KEY, **changes: object) -> dict[str, object]:
    scheme = "ecdsa-sha2-nistp256"
    told = {"keyid": REAL_KEYID, "keytype": scheme, "scheme": scheme, "key": text, "expires": None}
    return {**told, **changes}


def _keys(*keys: object) -> tuple[RegistryKey, ...]:
    return read_keys(json.dumps({"keys": keys}).encode())


def test_a_real_signature_holds() -> None:
    """Of a package on the public registry."""
    assert is_signed(REAL_SUBJECT, [REAL_SIGNATURE], _keys(_key()), published_at=1_561_747_587)


@pytest.mark.parametrize(
    "subject",
    [
        REAL_SUBJECT.replace("1.0.0", "1.0.1"),
        REAL_SUBJECT.replace("5ZYe", "5ZYf"),
        REAL_SUBJECT.replace("isaacs", "isaac"),
        "",
    ],
)
def test_a_signature_of_something_else_is_forged(subject: str) -> None:
    """Name, version and integrity are signed together."""
    with pytest.raises(ForgedError, match="not what it signed"):
        is_signed(subject, [REAL_SIGNATURE], _keys(_key()), None)


@pytest.mark.parametrize("sig", ["", "nope", "%%%", "A" * 96, "é"])
def test_junk_in_place_of_a_signature_is_forged(sig: str) -> None:
    """The registry says that this is its signature, and it is not."""
    with pytest.raises(ForgedError):
        is_signed(REAL_SUBJECT, [Signature(REAL_KEYID, sig)], _keys(_key()), None)


def test_one_wrong_signature_beside_a_right_one_is_forged() -> None:
    """All that can be checked must hold."""
    own = ec.generate_private_key(ec.SECP256R1())
    public = own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    keys = _keys(_key(), _key(base64.b64encode(public).decode(), keyid="own"))
    value = own.sign(REAL_SUBJECT.encode(), ec.ECDSA(hashes.SHA256()))
    right = Signature("own", base64.b64encode(value).decode())
    assert is_signed(REAL_SUBJECT, [REAL_SIGNATURE, right], keys, None)
    with pytest.raises(ForgedError):
        is_signed(REAL_SUBJECT, [REAL_SIGNATURE, Signature("own", REAL_SIGNATURE.sig)], keys, None)


@pytest.mark.parametrize(
    ("published_at", "counts"),
    [(None, True), (EXPIRES_AT - 1, True), (EXPIRES_AT, False), (EXPIRES_AT + 1, False)],
)
def test_a_key_counts_for_what_was_published_before_it_expired(
    published_at: int | None, *, counts: bool
) -> None:
    """Afterwards it is no key: neither for a right signature nor for a wrong one."""
    keys = _keys(_key(expires=EXPIRES))
    assert is_signed(REAL_SUBJECT, [REAL_SIGNATURE], keys, published_at) is counts
    if not counts:
        assert not is_signed("other", [REAL_SIGNATURE], keys, published_at)


def test_an_expiry_that_cannot_be_read_is_long_past() -> None:
    """It is not taken for none."""
    keys = _keys(_key(expires="soon"))
    assert not is_signed(REAL_SUBJECT, [REAL_SIGNATURE], keys, published_at=1)


def test_without_a_signature_or_its_key_there_is_no_word() -> None:
    """That is not a forgery."""
    assert not is_signed(REAL_SUBJECT, [], _keys(_key()), None)
    assert not is_signed(REAL_SUBJECT, [REAL_SIGNATURE], (), None)
    assert not is_signed(REAL_SUBJECT, [REAL_SIGNATURE], _keys(_key(keyid="x")), None)


def test_keys_of_another_kind_are_left_out() -> None:
    """Another scheme, another curve, another algorithm, no key at all."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ders = [
        ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(*form),
        rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        .public_key()
        .public_bytes(*form),
    ]
    texts = [base64.b64encode(der).decode() for der in ders]
    assert _keys(*(_key(text) for text in (*texts, "", "123", "%"))) == ()
    assert _keys(_key(scheme="ed25519")) == ()
    assert len(_keys(_key("123"), _key())) == 1


@pytest.mark.parametrize(
    "document", [b"", b"{}", b"[]", b"<html>", b'{"keys": {}}', b'{"keys": [1]}', b"[" * 60_000]
)
def test_what_is_no_document_of_keys_is_refused(document: bytes) -> None:
    """One kind of error."""
    with pytest.raises(SourceError):
        read_keys(document)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_forged_or_no_word(sig: str, subject: str) -> None:
    """No crash, and nothing but the real pair holds."""
    with pytest.raises(ForgedError):
        is_signed(subject, [Signature(REAL_KEYID, sig)], _keys(_key()), None)
    assert not is_signed(subject, [Signature("?", sig)], _keys(_key()), None)
