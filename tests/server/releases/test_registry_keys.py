"""A registry's keys over HTTP: when they are asked for, and what becomes of a new one."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug import Response

from server.fetch import Fetcher
from server.releases.registry_keys import RegistryKeys
from server.releases.registry_signature import Signature
from server.releases.sources.interface import ForgedError, Memory

if TYPE_CHECKING:
    from tests.server.releases.conftest import Registry

SUBJECT = "@x/y@1.0.0:sha512-AAAA"
KEYS = "-/npm/v1/keys"
PRIVATE = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("old", "new")}


def _show(registry: "Registry", *names: str, expires: str | None = None) -> None:
    scheme = "ecdsa-sha2-nistp256"
    keys = []
    for name in names:
        public = PRIVATE[name].public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        text = base64.b64encode(der).decode()
        keys.append({"keyid": name, "scheme": scheme, "key": text, "expires": expires})
    registry.put(KEYS, json.dumps({"keys": keys}).encode())


def _signed(name: str, subject: str = SUBJECT) -> tuple[Signature, ...]:
    value = PRIVATE[name].sign(subject.encode(), ec.ECDSA(hashes.SHA256()))
    return (Signature(name, base64.b64encode(value).decode()),)


def _keys(registry: "Registry", keep: Memory) -> RegistryKeys:
    return RegistryKeys(Fetcher(registry.url), keep)


def test_without_a_signature_no_key_is_asked_for(registry: "Registry") -> None:
    """Many registries show neither."""
    assert _keys(registry, Memory()).check(SUBJECT, (), None) is None
    assert registry.asked == []


@pytest.mark.parametrize("status", [404, 403])
def test_without_keys_a_signature_says_nothing(registry: "Registry", status: int) -> None:
    """A mirror repeats signatures and has no keys: the integrity is what it was."""
    registry.answers[KEYS] = lambda _: Response(status=status)
    assert _keys(registry, Memory()).check(SUBJECT, _signed("old"), None) is None


def test_keys_are_fetched_once_and_kept(registry: "Registry") -> None:
    """For this registry: another one has its own."""
    _show(registry, "old")
    keep = Memory()
    for _ in range(2):
        assert _keys(registry, keep).check(SUBJECT, _signed("old"), None) is None
    assert registry.paths() == [KEYS]
    other = RegistryKeys(Fetcher(f"{registry.url}/other"), keep)
    assert other.check(SUBJECT, _signed("old"), None) is None
    assert registry.paths() == [KEYS, f"other/{KEYS}"]


def test_many_who_ask_at_once_fetch_once(registry: "Registry") -> None:
    """The first reading asks for several releases at a time."""
    _show(registry, "old")
    keys = _keys(registry, Memory())
    signed = _signed("old")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: keys.check(SUBJECT, signed, None), range(16))) == {None}
    assert registry.paths() == [KEYS]


def test_a_wrong_signature_is_forged(registry: "Registry") -> None:
    """By a key that is fetched now, and by one that was kept."""
    _show(registry, "old")
    keep = Memory()
    for _ in range(2):
        with pytest.raises(ForgedError):
            _keys(registry, keep).check(SUBJECT, _signed("old", "other"), None)


def test_the_next_key_is_fetched_when_it_signs(registry: "Registry") -> None:
    """Registries change their keys."""
    keep = Memory()
    _show(registry, "old")
    _keys(registry, keep).check(SUBJECT, _signed("old"), None)
    _show(registry, "old", "new")
    assert _keys(registry, keep).check(SUBJECT, _signed("new"), None) is None
    with pytest.raises(ForgedError):
        _keys(registry, keep).check(SUBJECT, _signed("new", "other"), None)


def test_a_signature_by_no_accepted_key_is_told(registry: "Registry") -> None:
    """One that the registry does not show, or that had expired."""
    _show(registry, "old")
    told = _keys(registry, Memory()).check(SUBJECT, _signed("new"), None)
    assert told == "@x/y@1.0.0 has a signature by no key that the npm registry shows for its time"
    _show(registry, "old", expires="2025-01-29T00:00:00.000Z")
    assert _keys(registry, Memory()).check(SUBJECT, _signed("old"), 1_800_000_000) == told


@pytest.mark.parametrize(
    "answer", [Response(status=500), Response("<html>", content_type="text/html"), Response(b"{}")]
)
def test_keys_that_cannot_be_had_are_told(registry: "Registry", answer: Response) -> None:
    """The package is still what its integrity makes it."""
    registry.answers[KEYS] = lambda _: answer
    told = _keys(registry, Memory()).check(SUBJECT, _signed("old"), None)
    assert told is not None
    assert told.startswith("@x/y@1.0.0 has a signature that is not checked: ")


def test_junk_that_was_kept_is_fetched_anew(registry: "Registry") -> None:
    """Nothing in the database can stop it."""
    _show(registry, "old")
    keep = Memory()
    keep.put(f"npm {registry.url}", b"junk")
    assert _keys(registry, keep).check(SUBJECT, _signed("old"), None) is None
    assert registry.paths() == [KEYS]
