"""Another process keeps the database to itself, longer than a statement waits for it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.wire import Ack
from server.errors import RequestRefused, StoreError
from tests.server.shop import HEAD, Shop, profile


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP, whose writer waits no longer than a hundredth of a second."""
    shop = Shop(tmp_path)
    shop.write(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout=10").close())
    yield shop
    shop.close()


@contextlib.contextmanager
def locked(shop: Shop) -> Iterator[None]:
    """A write transaction of somebody else."""
    path = shop.url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_all_that_wait_are_refused_and_later_ones_are_taken(shop: Shop) -> None:
    """Nobody waits for an answer that never comes: 503, and the intake goes on."""
    laptops = [shop.enrol(f"laptop-{number}") for number in range(3)]
    messages = [laptop.message(profile(HEAD)) for laptop in laptops]

    async def all_at_once() -> list[Ack | BaseException]:
        sent = zip(laptops, messages, strict=True)
        waiting = [shop.intake.check_in(laptop.token, message) for laptop, message in sent]
        async with asyncio.timeout(60):
            return await asyncio.gather(*waiting, return_exceptions=True)

    with locked(shop):
        answers = asyncio.run(all_at_once())
    refused = [each.status for each in answers if isinstance(each, RequestRefused)]
    assert refused == [503, 503, 503]
    assert all(isinstance(each, Ack) for each in asyncio.run(all_at_once()))


def test_what_a_job_wants_written_is_a_store_error(shop: Shop) -> None:
    """The world's fault with what to do, not a mistake of ours."""
    with locked(shop), pytest.raises(StoreError, match="database is locked"):
        shop.write(lambda _: None)
