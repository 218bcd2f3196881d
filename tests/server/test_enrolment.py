"""Enrolment: the secret decides, the key makes it repeatable, the label is somebody's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wire import Enrolled, Enrolment
from server import enrolment
from server.errors import RequestRefused
from server.store import fleet
from tests.server.shop import DAY, Shop

KEY = "0123456789abcdef" * 2


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def enrol(shop: Shop, label: str = "anna", key: str = KEY, **also: str) -> Enrolled:
    """Enrols a machine."""
    message = Enrolment(1, also.get("secret", shop.secret), label, key, group=also.get("group"))
    return asyncio.run(shop.intake.enrol(message))


def status(shop: Shop, **also: str) -> int:
    """How an enrolment is refused."""
    with pytest.raises(RequestRefused) as refused:
        enrol(shop, **also)
    return refused.value.status


def test_repeating_the_key_returns_the_same_machine_and_token(shop: Shop) -> None:
    """A lost answer costs nothing; the label of the repetition does not matter."""
    first = enrol(shop)
    shop.now += DAY
    assert enrol(shop, label="anna-again") == first
    assert shop.counted() == {"unknown": 1}


def test_another_key_is_another_machine(shop: Shop) -> None:
    """With a token that has nothing in common with the first."""
    first, second = enrol(shop), enrol(shop, label="ben", key=KEY[::-1])
    assert first.machine != second.machine
    assert first.token[-64:] != second.token[-64:]


def test_no_token_secret_or_key_is_stored(shop: Shop) -> None:
    """A copy of the database opens nothing: only hashes are in it."""
    token = enrol(shop).token
    shop.writer.close()
    stored = b"".join(
        each.read_bytes() for each in Path(shop.engine.url.database or "").parent.iterdir()
    )
    for secret in (token, token[-64:], shop.secret, KEY):
        assert secret.encode() not in stored


def test_two_servers_give_one_key_two_tokens(shop: Shop, tmp_path: Path) -> None:
    """The key alone does not tell the token: the server's own part is random."""
    (tmp_path / "other").mkdir()
    other = Shop(tmp_path / "other")
    assert enrol(shop).token[-64:] != enrol(other).token[-64:]
    other.close()


def test_the_secret_decides_the_group(shop: Shop) -> None:
    """Whatever the laptop wishes for."""
    secret = shop.write(lambda conn: enrolment.create_secret(conn, "pilots", shop.now))
    assert enrol(shop, secret=secret, group="default").group == "pilots"


def test_a_wrong_or_revoked_secret_is_refused(shop: Shop) -> None:
    """Also for a key that enrolled before."""
    enrol(shop)
    assert status(shop, secret=shop.secret[:-1]) == 403
    (made,) = shop.read(enrolment.secrets_made)
    assert shop.write(lambda conn: enrolment.revoke_secret(conn, made.id, shop.now))
    assert not shop.write(lambda conn: enrolment.revoke_secret(conn, made.id, shop.now))
    assert status(shop) == 403
    assert status(shop, label="ben", key=KEY[::-1]) == 403


def test_a_revoked_secret_leaves_its_machines_alone(shop: Shop) -> None:
    """Their tokens are their own."""
    laptop = shop.enrol("anna")
    (made,) = shop.read(enrolment.secrets_made)
    shop.write(lambda conn: enrolment.revoke_secret(conn, made.id, shop.now))
    assert laptop.send(laptop.message("sha256:" + "0" * 64)).wanted


def test_a_label_is_one_live_machines(shop: Shop) -> None:
    """409 while it lives; free when it has left."""
    first = enrol(shop)
    assert status(shop, key=KEY[::-1]) == 409
    shop.write(lambda conn: fleet.leave(conn, first.machine, shop.now))
    assert enrol(shop, key=KEY[::-1]).machine != first.machine
    assert shop.counted() == {"unknown": 1, "left": 1}


def test_the_key_of_a_machine_that_left_enrols_nothing(shop: Shop) -> None:
    """Revoking would else be undone by a repetition."""
    first = enrol(shop)
    shop.write(lambda conn: fleet.leave(conn, first.machine, shop.now))
    assert status(shop) == 403


def test_a_machine_that_never_speaks_is_unknown_then_silent(shop: Shop) -> None:
    """It is in the denominator from the first moment."""
    laptop = shop.enrol("anna")
    assert shop.counted() == {"unknown": 1}
    assert (laptop.view().standing, laptop.view().last_seen) == ("unknown", None)
    shop.now += 3 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert shop.counted() == {"silent": 1}


def test_an_unreadable_wire_version_is_refused(shop: Shop) -> None:
    """422 at the place of the number."""
    with pytest.raises(RequestRefused) as refused:
        asyncio.run(shop.intake.enrol(Enrolment(7, shop.secret, "anna", KEY)))
    assert (refused.value.status, refused.value.path) == (422, "$.wire")
