"""Kept signing keys: over restarts, and apart from the server's own secrets."""

from typing import TYPE_CHECKING

from server.store.signing_keys import SigningKeys

if TYPE_CHECKING:
    from tests.server.shop import Shop


def test_a_key_is_kept(shop: "Shop") -> None:
    """For whoever asks next, until another one takes its place."""
    keys = SigningKeys(shop.engine, shop.writer)
    assert keys.get("release") is None
    keys.put("release", b"\x00one")
    assert SigningKeys(shop.engine, shop.writer).get("release") == b"\x00one"
    keys.put("release", b"two")
    assert keys.get("release") == b"two"
    assert keys.get("other") is None


def test_no_name_reaches_the_servers_own_key(shop: "Shop") -> None:
    """They share a table and nothing else."""
    keys = SigningKeys(shop.engine, shop.writer)
    shop.enrol("ada-laptop")
    own = str(shop.rows("SELECT name FROM server_keys")[0][0])
    assert keys.get(own) is None
    keys.put(own, b"planted")
    assert (own, b"planted") not in shop.rows("SELECT name, value FROM server_keys")
