"""Canonical bytes and the digests made of them. Pure.

Canonical JSON is RFC 8785 (JCS): one value has one byte string, so a digest names a
value and not a way of writing it. Digests are written ``sha256:<64 hex>``.
"""

import hashlib
from typing import Any

import msgspec
import rfc8785

PREFIX = "sha256:"


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a message struct or of plain JSON values.

    Args:
        value: A msgspec struct, or dicts, lists, strings, numbers, booleans and None.

    Raises:
        ValueError: The value has no canonical form (a NaN, an integer beyond 2**53).
    """
    return rfc8785.dumps(msgspec.to_builtins(value))


def of_bytes(data: bytes) -> str:
    """The digest of exactly these bytes, as ``sha256:<64 hex>``."""
    return PREFIX + hashlib.sha256(data).hexdigest()


def of_value(value: Any) -> str:
    """The digest of a value's canonical bytes.

    Raises:
        ValueError: As for `canonical`.
    """
    return of_bytes(canonical(value))
