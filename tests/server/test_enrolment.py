"""Enrolment: the secret decides, the key makes it repeatable, the label is somebody's."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.wire import Enrolled, Enrolment
from server import enrolment
from server.errors import RequestRefused
from server.store import fleet, read
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


def secret(shop: Shop, group: str = "default", **bounds: Any) -> str:
    """A secret with bounds."""
    return shop.write(lambda conn: enrolment.create_secret(conn, group, shop.now, **bounds))


def test_a_secret_ends_by_itself(shop: Shop) -> None:
    """From its end on it enrols nothing, and says so."""
    bounded = secret(shop, ends_at=shop.now + DAY)
    shop.now += DAY - 1
    enrol(shop, secret=bounded)
    shop.now += 1
    with pytest.raises(RequestRefused, match="has ended") as refused:
        enrol(shop, "ben", KEY[::-1], secret=bounded)
    assert refused.value.status == 403


def test_a_secret_enrols_as_many_as_it_is_for(shop: Shop) -> None:
    """A repetition is no further use, also of the last one; the list tells them."""
    bounded = secret(shop, uses_max=1)
    first = enrol(shop, secret=bounded)
    shop.now += 60
    assert enrol(shop, secret=bounded) == first
    with pytest.raises(RequestRefused, match=r"used up: it was for 1 machine$") as refused:
        enrol(shop, "ben", KEY[::-1], secret=bounded)
    assert refused.value.status == 403
    (made,) = [each for each in shop.read(enrolment.secrets_made) if each.uses_max]
    assert (made.uses, made.last_used_at) == (1, shop.now - 60)


def test_a_refused_enrolment_uses_nothing_up(shop: Shop) -> None:
    """Who meets a taken label still has the secret."""
    enrol(shop)
    bounded = secret(shop, uses_max=1)
    assert status(shop, key=KEY[::-1], secret=bounded) == 409
    assert enrol(shop, "ben", KEY[::-1], secret=bounded).group == "default"


def test_an_operators_word_gives_a_label_to_another_machine(shop: Shop) -> None:
    """The old one leaves, replaced, and its history stays; the secret is good for no other."""
    old = shop.enrol("anna")
    named = secret(shop, replaces="anna", uses_max=1)
    assert status(shop, label="ben", secret=named) == 403
    new = enrol(shop, "anna", secret=named)
    assert new.machine != old.id
    assert shop.counted() == {"unknown": 1, "left": 1}
    causes = shop.rows("SELECT machine_id, after, cause FROM transitions ORDER BY id")
    assert causes == [(old.id, "left", "replaced")]
    assert shop.read(lambda conn: read.machine_named(conn, "anna")) == new.machine


def owned(shop: Shop, key: str, owner: str | None, group: str = "default") -> Enrolled:
    """Enrols a machine named anna, with an owner."""
    message = Enrolment(1, secret(shop, group), "anna", key, owner=owner)
    return asyncio.run(shop.intake.enrol(message))


def fall_silent(shop: Shop) -> None:
    """Lets a month pass in which nobody speaks."""
    shop.now += 30 * DAY
    shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 10))
    assert shop.counted() == {"silent": 1}


def test_a_silent_machine_gives_its_label_to_its_owners_next_one(shop: Shop) -> None:
    """A laptop that was installed anew, by a secret of its group; it is told as replaced."""
    owned(shop, KEY, "kim")
    with pytest.raises(RequestRefused, match="is enrolled already"):
        owned(shop, KEY[::-1], "kim")
    fall_silent(shop)
    owned(shop, KEY[::-1], "kim")
    assert shop.rows("SELECT cause FROM transitions WHERE after = 'left'") == [("replaced",)]


@pytest.mark.parametrize(
    ("owner", "group"), [("lee", "default"), (None, "default"), ("kim", "pilots")]
)
def test_nobody_else_takes_a_silent_machines_label(
    shop: Shop, owner: str | None, group: str
) -> None:
    """Neither another owner's laptop nor one that comes by another group's secret."""
    owned(shop, KEY, "kim")
    fall_silent(shop)
    with pytest.raises(RequestRefused) as refused:
        owned(shop, KEY[::-1], owner, group)
    assert refused.value.status == 409


def test_a_secret_is_revoked_with_its_machines(shop: Shop) -> None:
    """In slices, and those of other secrets stay."""
    leaked = secret(shop)
    identifier = leaked.split("_")[1]
    for number in range(5):
        enrol(shop, f"laptop-{number}", f"{number:032x}", secret=leaked)
    kept = shop.enrol("anna")
    ended = [
        shop.write(lambda conn: fleet.leave_all(conn, identifier, shop.now, 2)) for _ in range(4)
    ]
    assert ended == [2, 2, 1, 0]
    assert shop.counted() == {"left": 5, "unknown": 1}
    assert kept.view().standing == "unknown"


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
