"""Tokens: their form, and whom they admit."""

import secrets
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from server.errors import RequestRefused
from server.store.tables import metadata
from server.tokens import (
    NAME_MAX,
    Role,
    create,
    hash_token,
    holder,
    machine_of,
    machine_token,
    made,
    revoke,
)

ROLES: tuple[Role, ...] = get_args(Role)


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
    assert machine_of(machine_token(identifier, secrets.token_hex(32), 1_790_000_000)) == identifier
    assert (
        machine_of(machine_token(identifier, secrets.token_hex(32), 1_790_000_000) + "\n") is None
    )


@pytest.mark.parametrize("role", ROLES)
def test_who_has_a_token_is_admitted_until_it_is_revoked(conn: Connection, role: Role) -> None:
    """And nobody else is; the token itself is not kept."""
    token = create(conn, "anna", role, 5)
    held = holder(conn, token)
    assert held is not None
    assert (held.name, held.role) == ("anna", role)
    assert holder(conn, token + "0") is None
    assert holder(conn, hash_token(token)) is None
    (told,) = made(conn)
    assert (told.name, told.role, told.created_at, told.revoked_at) == ("anna", role, 5, None)
    assert revoke(conn, told.id, 6)
    assert not revoke(conn, told.id, 7)
    assert holder(conn, token) is None
    assert made(conn)[0].revoked_at == 6


def test_a_token_tells_its_role_by_its_beginning(conn: Connection) -> None:
    """So that a person who finds one knows how bad that is."""
    assert create(conn, "anna", "viewer", 5).startswith("bpv_")
    assert create(conn, "anna", "operator", 5).startswith("bpo_")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a" * (NAME_MAX + 1)])
def test_a_name_that_cannot_sign_is_refused(conn: Connection, name: str) -> None:
    """Waivers are signed with it: it is one line that says something."""
    with pytest.raises(RequestRefused) as refused:
        create(conn, name, "operator", 5)
    assert (refused.value.status, refused.value.path) == (422, "$.name")
    assert made(conn) == []
