"""Wrong enrolment secrets: each is refused, few are looked at, and nobody else waits for it."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wire import Enrolment
from server import enrolment
from server.errors import RequestRefused
from server.secret_check import TRIES, TRY_EVERY_S
from tests.server.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def status(shop: Shop, secret: str) -> int:
    """How an enrolment with a secret ends."""
    message = Enrolment(1, secret, secrets.token_hex(4), secrets.token_hex(16))
    try:
        asyncio.run(shop.intake.enrol(message))
    except RequestRefused as refused:
        return refused.status
    return 201


def wrong(secret: str) -> str:
    """Another secret with the same id."""
    return secret[: len("bpe_01234567_")] + "0" * 64


def test_guessing_is_bounded_and_holds_up_nobody_else(shop: Shop) -> None:
    """Beyond the tries it is 429, for that secret's id alone, until time fills them up."""
    other = shop.write(lambda conn: enrolment.create_secret(conn, "default", shop.now))
    guesses = [status(shop, wrong(shop.secret)) for _ in range(TRIES + 3)]
    assert guesses == [403] * TRIES + [429] * 3
    assert status(shop, shop.secret) == 429
    assert status(shop, other) == 201
    shop.now += TRY_EVERY_S
    assert status(shop, shop.secret) == 201
    assert status(shop, wrong(shop.secret)) == 403
    assert status(shop, wrong(shop.secret)) == 429


def test_what_names_no_secret_is_no_guess(shop: Shop) -> None:
    """It is refused at any rate, and nothing is kept of it."""
    for secret in ("nonsense", "bpe_00000000_" + "0" * 64):
        assert [status(shop, secret) for _ in range(TRIES + 2)] == [403] * (TRIES + 2)


def test_a_clock_that_is_set_back_fills_nothing(shop: Shop) -> None:
    """Nor does it empty anything for good."""
    for _ in range(TRIES):
        status(shop, wrong(shop.secret))
    shop.now -= 3_600
    assert status(shop, shop.secret) == 429
    shop.now += 3_600 + TRY_EVERY_S
    assert status(shop, shop.secret) == 201
