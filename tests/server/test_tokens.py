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
    is_due,
    machine_of,
    machine_token,
    made,
    revoke,
    secret_of,
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


@given(made_at=st.integers(0, 2**32 - 1), age_s=st.integers(0, 2**31), later_s=st.integers(0, 9))
def test_a_machines_token_tells_when_it_is_old(made_at: int, age_s: int, later_s: int) -> None:
    """From its greatest age on, and not before; nothing has to be read for it."""
    token = machine_token("0" * 16, "1" * 64, made_at)
    assert is_due(token, made_at + age_s + later_s, age_s)
    assert not is_due(token, made_at + age_s - 1 - later_s, age_s)


def test_a_token_without_a_time_is_never_old() -> None:
    """Laptops of an older form have nothing to renew theirs with."""
    token = f"bpm_{'0' * 16}_{'1' * 64}"
    assert machine_of(token) == "0" * 16
    assert not is_due(token, 2**33, 60)


def test_an_enrolment_secret_holds_its_id() -> None:
    """And nothing else does."""
    assert secret_of("bpe_01234567_" + "0" * 64) == "01234567"
    for text in (
        "",
        "bpe_01234567_",
        "bpv_01234567_" + "0" * 64,
        "bpe_01234567_" + "0" * 64 + "\n",
    ):
        assert secret_of(text) is None
