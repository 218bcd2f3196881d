"""Tokens: their form, and whom they admit."""

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from server.store.tables import metadata
from server.tokens import (
    create_viewer,
    hash_token,
    is_viewer,
    machine_of,
    machine_token,
    revoke_viewer,
    viewers,
)


@pytest.fixture
def conn() -> Iterator[Connection]:
    """A database of its own."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as conn:
        yield conn
    engine.dispose()


@given(st.text(max_size=90))
def test_only_what_has_the_form_of_a_machines_token_names_a_machine(text: str) -> None:
    """Anything else names none, without an error."""
    assert machine_of(text) is None
    assert machine_of(f"bpm_{'0' * 16}_{text}") is None or len(text) == 64


def test_a_machines_token_holds_its_id() -> None:
    """So that its row is found by primary key."""
    identifier = secrets.token_hex(8)
    assert machine_of(machine_token(identifier, secrets.token_hex(32))) == identifier
    assert machine_of(machine_token(identifier, secrets.token_hex(32)) + "\n") is None


def test_a_viewer_is_admitted_until_revoked(conn: Connection) -> None:
    """And nobody else is; the token itself is not kept."""
    token = create_viewer(conn, "anna", 5)
    assert is_viewer(conn, token)
    assert not is_viewer(conn, token + "0")
    assert not is_viewer(conn, hash_token(token))
    (viewer,) = viewers(conn)
    assert (viewer.name, viewer.created_at, viewer.revoked_at) == ("anna", 5, None)
    assert revoke_viewer(conn, viewer.id, 6)
    assert not revoke_viewer(conn, viewer.id, 7)
    assert not is_viewer(conn, token)
    assert viewers(conn)[0].revoked_at == 6
