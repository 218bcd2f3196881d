"""The intake: batches, back-pressure, and what happens when the database cannot write."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from agent.digest import canonical
from agent.wire import Ack, Build, CheckIn
from server.errors import RequestRefused
from server.intake import WORK_WAITING_MAX, Intake
from server.store.acks import HURRY_S
from tests.server.shop import BEHIND, HEAD, Laptop, Shop, digest_of, profile

MINE = profile(HEAD)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()


class Held:
    """Work on the writer that ends when it is told to, so that check-ins gather behind it."""

    def __init__(self, shop: Shop) -> None:
        self._begun, self._end = threading.Event(), threading.Event()
        shop.writer.run(self._wait)
        self._begun.wait()

    def _wait(self, _: Connection) -> None:
        self._begun.set()
        self._end.wait()

    def let_go(self) -> None:
        """Ends it."""
        self._end.set()


class Statements:
    """What the writer's connection runs, from now on."""

    def __init__(self, shop: Shop) -> None:
        self.seen: list[str] = []
        shop.writer.run(self._listen).result()
        self.seen.clear()

    def _listen(self, conn: Connection) -> None:
        driver = conn.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(self.seen.append)

    def count(self, begin: str) -> int:
        """How many there were that begin so."""
        return sum(each.startswith(begin) for each in self.seen)


async def gather(
    intake: Intake, held: Held, sent: list[tuple[Laptop, CheckIn]]
) -> list[Ack | BaseException]:
    """The answers to check-ins that all wait for one commit."""
    waiting = [
        asyncio.ensure_future(intake.check_in(laptop.token, message)) for laptop, message in sent
    ]
    await asyncio.sleep(0)  # each begins, and waits
    held.let_go()
    return await asyncio.gather(*waiting, return_exceptions=True)


def fleet(shop: Shop, number: int) -> list[Laptop]:
    """Machines that checked in before and have nothing new to say."""
    laptops = [shop.enrol(f"laptop-{each}") for each in range(number)]
    for laptop in laptops:
        laptop.tell(MINE)
    return laptops


def test_all_that_waits_is_one_commit_of_three_statements(shop: Shop) -> None:
    """However many they are: one update, one answer, one commit."""
    sent = [(laptop, laptop.message(MINE)) for laptop in fleet(shop, 40)]
    statements, held = Statements(shop), Held(shop)
    acks = asyncio.run(gather(shop.intake, held, sent))
    assert {ack.state for ack in acks if isinstance(ack, Ack)} == {"match"}
    assert len(acks) == 40
    batch = statements.seen[statements.seen.index("COMMIT") + 1 :]
    assert [each.split()[0] for each in batch] == ["BEGIN", "UPDATE", "SELECT", "COMMIT"]


def test_what_is_new_is_taken_in_the_same_commit_as_what_is_not(shop: Shop) -> None:
    """Each gets its own answer; a stranger's refusal takes nobody with it."""
    old, changed, stranger = fleet(shop, 3)
    stranger.token = stranger.token[:-1] + ("0" if stranger.token[-1] != "0" else "1")
    sent = [
        (old, old.message(MINE)),
        (stranger, stranger.message(MINE)),
        (changed, changed.message("sha256:" + "9" * 64)),
    ]
    statements, held = Statements(shop), Held(shop)
    first, second, third = asyncio.run(gather(shop.intake, held, sent))
    assert isinstance(first, Ack)
    assert isinstance(third, Ack)
    assert (first.wanted, third.wanted) == ((), ("sha256:" + "9" * 64,))
    assert isinstance(second, RequestRefused)
    assert second.status == 401
    assert statements.count("COMMIT") == 2


def test_two_check_ins_of_one_machine_are_two_batches(shop: Shop) -> None:
    """In their order, so the second finds the first one committed."""
    (laptop,) = fleet(shop, 1)
    sent = [(laptop, laptop.message(MINE)) for _ in range(3)]
    statements, held = Statements(shop), Held(shop)
    acks = asyncio.run(gather(shop.intake, held, sent))
    assert [ack.resync for ack in acks if isinstance(ack, Ack)] == [False] * 3
    assert statements.count("COMMIT") == 4


def test_a_full_queue_is_answered_at_once(shop: Shop) -> None:
    """With 503 and when to come again; those who wait already are served."""
    first, second = fleet(shop, 2)
    intake = Intake(shop.engine, shop.writer, shop.current, shop.clock, waiting_max=1)
    held = Held(shop)

    async def two() -> tuple[Ack, RequestRefused]:
        waiting = asyncio.ensure_future(intake.check_in(first.token, first.message(MINE)))
        await asyncio.sleep(0)  # it begins, and waits
        with pytest.raises(RequestRefused) as refused:
            await intake.check_in(second.token, second.message(MINE))
        held.let_go()
        return await waiting, refused.value

    ack, refused = asyncio.run(two())
    assert ack.state == "match"
    assert (refused.status, bool(refused.retry_after_s)) == (503, True)


def test_profiles_that_wait_together_are_one_commit(shop: Shop) -> None:
    """Each gets its own answer: one that was not asked for is refused alone."""
    asked, known, unasked = (shop.enrol(each) for each in ("anna", "ben", "carl"))
    other = profile(BEHIND)
    asked.send(asked.message(MINE))
    known.send(known.message(other))
    sent = [(asked, MINE), (unasked, MINE), (known, other)]
    statements, held = Statements(shop), Held(shop)

    async def put() -> list[BaseException | None]:
        waiting = [
            asyncio.ensure_future(
                shop.intake.put_profile(laptop.token, digest_of(told), canonical(told))
            )
            for laptop, told in sent
        ]
        await asyncio.sleep(0)  # each begins, and waits
        held.let_go()
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second, third = asyncio.run(put())
    assert (first, third) == (None, None)
    assert isinstance(second, RequestRefused)
    assert second.status == 403
    assert statements.count("COMMIT") == 2
    assert (asked.view().standing, known.view().standing) == ("match", "pending")


def test_too_many_profiles_are_refused_and_check_ins_are_not(shop: Shop) -> None:
    """With 503 and when to come again; what was accepted is done."""
    uploader, other = fleet(shop, 2)
    held = Held(shop)

    async def crowd() -> tuple[RequestRefused, Ack]:
        body = canonical(MINE)
        waiting = [
            asyncio.ensure_future(shop.intake.put_profile(uploader.token, digest_of(MINE), body))
            for _ in range(WORK_WAITING_MAX)
        ]
        await asyncio.sleep(0)  # each begins, and waits
        with pytest.raises(RequestRefused) as refused:
            await shop.intake.put_profile(uploader.token, digest_of(MINE), body)
        checking_in = asyncio.ensure_future(shop.intake.check_in(other.token, other.message(MINE)))
        await asyncio.sleep(0)  # it begins, and waits
        held.let_go()
        assert await asyncio.gather(*waiting) == [None] * WORK_WAITING_MAX
        return refused.value, await checking_in

    refused, ack = asyncio.run(crowd())
    assert (refused.status, bool(refused.retry_after_s)) == (503, True)
    assert ack.state == "match"


def test_a_disk_that_is_full_acknowledges_nothing(shop: Shop) -> None:
    """503 for all; when there is room again, the same check-ins are taken."""
    laptops = [shop.enrol(f"laptop-{number}") for number in range(30)]
    messages = [laptop.message("sha256:" + "9" * 64) for laptop in laptops]
    pages = shop.write(lambda conn: conn.exec_driver_sql("PRAGMA page_count").scalar_one())
    # The next statement that needs a page more fails as on a full disk.
    limit = f"PRAGMA max_page_count={pages}"
    shop.write(lambda conn: conn.exec_driver_sql(limit).close())
    intake = Intake(shop.engine, shop.writer, shop.current, shop.clock, slice_s=3600)
    held = Held(shop)
    answers = asyncio.run(gather(intake, held, list(zip(laptops, messages, strict=True))))
    refused = [each for each in answers if isinstance(each, RequestRefused)]
    assert {each.status for each in refused} == {503}
    assert len(refused) == 30
    assert shop.rows("SELECT count(*) FROM machines WHERE epoch IS NOT NULL") == [(0,)]
    shop.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count=1000000").close())
    assert laptops[0].send(messages[0]).wanted


def test_a_mistake_of_ours_with_one_machine_spares_the_others(shop: Shop) -> None:
    """Its own answer is the error, and nothing of it is kept."""
    good, broken = fleet(shop, 2)
    damage = text("UPDATE machines SET began = 'no JSON', settled = 0 WHERE id = :id")
    shop.write(lambda conn: conn.execute(damage, {"id": broken.id}).close())
    other = profile()
    good.shop.enrol("third").tell(other)
    sent = [(good, good.message(MINE)), (broken, broken.message(other))]
    first, second = asyncio.run(gather(shop.intake, Held(shop), sent))
    assert isinstance(first, Ack)
    assert isinstance(second, ValueError)
    assert shop.rows(f"SELECT seq FROM presence WHERE machine_id = '{broken.id}'") == [(1,)]  # noqa: S608 - our own id


def test_stopping_finishes_what_waits(shop: Shop) -> None:
    """What was accepted before the writer closed is answered; what comes later is not taken."""
    laptops = fleet(shop, 5)
    held = Held(shop)

    async def stop() -> list[Ack | BaseException]:
        waiting = [
            asyncio.ensure_future(shop.intake.check_in(each.token, each.message(MINE)))
            for each in laptops
        ]
        await asyncio.sleep(0)  # each begins, and waits
        await asyncio.sleep(0)  # the writer is asked
        held.let_go()
        await asyncio.to_thread(shop.writer.close)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(RequestRefused) as refused:
            await shop.intake.check_in(laptops[0].token, laptops[0].message(MINE))
        assert refused.value.status == 503
        return answers

    assert all(isinstance(each, Ack) for each in asyncio.run(stop()))


def test_a_client_that_went_away_does_not_disturb_the_batch(shop: Shop) -> None:
    """Its check-in is taken all the same: it was accepted."""
    gone, stays = fleet(shop, 2)
    held = Held(shop)

    async def leave() -> Ack:
        leaving = asyncio.ensure_future(shop.intake.check_in(gone.token, gone.message(MINE)))
        staying = asyncio.ensure_future(shop.intake.check_in(stays.token, stays.message(MINE)))
        await asyncio.sleep(0)  # each begins, and waits
        leaving.cancel()
        held.let_go()
        return await staying

    assert asyncio.run(leave()).state == "match"
    assert shop.rows(f"SELECT seq FROM presence WHERE machine_id = '{gone.id}'") == [(gone.seq,)]  # noqa: S608 - our own id


def test_an_unreadable_wire_version_is_told_what_is_read(shop: Shop) -> None:
    """422 at the place of the number."""
    (laptop,) = fleet(shop, 1)
    message = CheckIn(2, "sha256:" + "0" * 64, "1", laptop.epoch, 99, 1)
    with pytest.raises(RequestRefused) as refused:
        laptop.send(message)
    assert (refused.value.status, refused.value.path) == (422, "$.wire")


def test_a_machine_whose_bytes_are_being_looked_up_comes_again_soon(shop: Shop) -> None:
    """An unsettled verdict shortens the interval; a settled one does not."""
    laptop = shop.enrol("anna")
    unknown = profile(Build("d" * 64, 1, "binary", "9.9.9", "linux-x64"))
    assert laptop.tell(unknown).next_s <= 2 * HURRY_S
    assert laptop.view().settling
    assert laptop.tell(MINE).next_s > 2 * HURRY_S


def test_a_machine_leaves_by_its_own_word_once(shop: Shop) -> None:
    """One transition that says why; afterwards its token opens nothing, not even this."""
    (laptop,) = fleet(shop, 1)
    before = len(shop.rows("SELECT id FROM transitions"))
    asyncio.run(shop.intake.leave(laptop.token))
    with pytest.raises(RequestRefused, match="no enrolled machine"):
        asyncio.run(shop.intake.leave(laptop.token))
    with pytest.raises(RequestRefused, match="no enrolled machine"):
        asyncio.run(shop.intake.check_in(laptop.token, laptop.message(MINE)))
    told = shop.rows('SELECT "before", "after", cause FROM transitions ORDER BY id')[before:]
    assert told == [("match", "left", "uninstalled")]
    assert shop.counted() == {"left": 1}


def test_nobody_else_makes_a_machine_leave(shop: Shop) -> None:
    """A token that names it and does not hold."""
    (laptop,) = fleet(shop, 1)
    wrong = laptop.token[:-1] + ("0" if laptop.token[-1] != "0" else "1")
    for token in (wrong, "bpm_x", ""):
        with pytest.raises(RequestRefused) as refused:
            asyncio.run(shop.intake.leave(token))
        assert refused.value.status == 401
    assert shop.counted() == {"match": 1}


def test_a_goodbye_that_cannot_be_written_may_be_said_again(shop: Shop) -> None:
    """503, and the machine is as it was."""
    (laptop,) = fleet(shop, 1)
    shop.writer.close()
    with pytest.raises(RequestRefused) as refused:
        asyncio.run(shop.intake.leave(laptop.token))
    assert refused.value.status == 503
    assert laptop.view().standing == "match"
