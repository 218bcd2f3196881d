"""Canonical bytes: one value, one byte string, one digest."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON), st.randoms())
def test_the_order_of_keys_changes_nothing(value: dict[str, object], chance: object) -> None:
    """Two ways of writing one value have one digest."""
    names = list(value)
    chance.shuffle(names)  # type: ignore[attr-defined]
    assert digest.of_value({name: value[name] for name in names}) == digest.of_value(value)


@given(JSON, JSON)
def test_different_values_have_different_bytes(one: object, other: object) -> None:
    """Canonical bytes name a value: reading them back gives it."""
    assert json.loads(digest.canonical(one)) == one
    assert (digest.canonical(one) == digest.canonical(other)) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )


def test_a_digest_is_the_sha256_of_the_bytes() -> None:
    """By RFC 8785 and FIPS 180-4, written with its prefix."""
    expected = hashlib.sha256(b'{"a":1,"b":[true,null]}').hexdigest()
    assert digest.of_value({"b": [True, None], "a": 1}) == f"sha256:{expected}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53])
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    """A NaN and an integer that a double cannot hold have none (RFC 8785 section 3.2.2.3)."""
    with pytest.raises(ValueError, match=r"\S"):
        digest.canonical({"value": value})
