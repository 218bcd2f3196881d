"""The group commit: how large a batch is, who waits for the next, and whose turn comes first."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agent.wire import Ack, CheckIn
from server.errors import RequestRefused, StoreError
from server.group_commit import BATCH_MAX, GroupCommit
from server.store.batches import Answer
from server.store.checkins import Arrival
from server.store.slices import Slices
from tests.server.shop import NOW, Shop

MESSAGE = CheckIn(1, "sha256:" + "0" * 64, "1", "0" * 16, 1, NOW)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A store without HTTP."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def arrival(machine: str, seq: int = 1) -> Arrival:
    """A check-in of a machine."""
    return Arrival(machine, f"token {seq}", "key", MESSAGE)


class Batches:
    """What is taken, in which order, with time for so many check-ins of a batch.

    Attributes:
        seen: The machines of each batch, the late ones apart.
        order: The machines in the order in which they were answered, and other work.
    """

    def __init__(self, time_for: int = 10_000) -> None:
        self._time_for = time_for
        self.seen: list[tuple[list[str], list[str]]] = []
        self.order: list[str] = []

    def take_all(
        self, _: Connection, late: Sequence[Arrival], new: Sequence[Arrival]
    ) -> Sequence[Answer | None]:
        """Answers as many as there is time for."""
        self.seen.append(([each.machine_id for each in late], [each.machine_id for each in new]))
        names = [each.machine_id for each in (*late, *new)]
        self.order += names[: self._time_for]
        ack: Answer = Ack("match", "tag", 900)
        return [ack if at < self._time_for else None for at in range(len(names))]


def hold(shop: Shop) -> threading.Event:
    """Has the writer wait, so that all gathers behind it."""
    begun, end = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        begun.set()
        end.wait()

    shop.writer.run(wait)
    begun.wait()
    return end


async def gathered(
    commit: GroupCommit, held: threading.Event, arrivals: Sequence[Arrival]
) -> list[Ack | BaseException]:
    """The answers to check-ins that came while the writer was held."""
    waiting = [asyncio.ensure_future(commit.take(each)) for each in arrivals]
    await asyncio.sleep(0)  # each begins, and waits
    await asyncio.sleep(0)  # the writer is asked
    held.set()
    return await asyncio.gather(*waiting, return_exceptions=True)


def test_a_batch_has_a_largest_size(shop: Shop) -> None:
    """So that no crowd has the writer for long: the rest is the next batch."""
    batches = Batches()
    commit = GroupCommit(shop.writer, batches.take_all, 10_000)
    crowd = [arrival(str(number)) for number in range(BATCH_MAX + 1)]
    answers = asyncio.run(gathered(commit, hold(shop), crowd))
    assert all(isinstance(each, Ack) for each in answers)
    assert [(len(late), len(new)) for late, new in batches.seen] == [(0, BATCH_MAX), (0, 1)]


def test_those_for_whom_there_was_no_time_are_the_first_of_the_next_batch(shop: Shop) -> None:
    """In their order, each answered once, and told apart from those that came since."""
    batches = Batches(time_for=2)
    commit = GroupCommit(shop.writer, batches.take_all, 10_000)
    answers = asyncio.run(gathered(commit, hold(shop), [arrival(each) for each in "abcde"]))
    assert all(isinstance(each, Ack) for each in answers)
    assert batches.seen == [([], [*"abcde"]), ([*"cde"], []), (["e"], [])]
    assert batches.order == [*"abcde"]


def test_a_second_check_in_of_a_late_machine_waits_for_the_first(shop: Shop) -> None:
    """However late that is: of one machine they are taken in their order."""
    batches = Batches(time_for=1)
    commit = GroupCommit(shop.writer, batches.take_all, 10_000)
    sent = [arrival("a"), arrival("b"), arrival("b", 2), arrival("c")]
    asyncio.run(gathered(commit, hold(shop), sent))
    assert batches.order == ["a", "b", "c", "b"]


def test_late_check_ins_and_other_work_take_turns(shop: Shop) -> None:
    """Neither waits until there is none of the other."""
    batches = Batches(time_for=1)
    commit = GroupCommit(shop.writer, batches.take_all, 10_000)
    uploads = Slices(shop.writer, slice_s=0)
    held = hold(shop)
    for _ in range(3):
        uploads.run(lambda _: batches.order.append("upload"))
    asyncio.run(gathered(commit, held, [arrival(each) for each in "abc"]))
    assert batches.order == ["upload", "a", "upload", "b", "upload", "c"]


def test_the_late_count_among_those_who_wait(shop: Shop) -> None:
    """A full queue is refused at once, also if it is of late ones."""
    batches = Batches(time_for=1)
    commit = GroupCommit(shop.writer, batches.take_all, 3)
    uploads = Slices(shop.writer)

    async def crowd() -> RequestRefused:
        held = hold(shop)
        waiting = [asyncio.ensure_future(commit.take(arrival(each))) for each in "abc"]
        await asyncio.sleep(0)  # each begins, and waits
        await asyncio.sleep(0)  # the writer is asked
        again = threading.Event()
        uploads.run(lambda _: again.wait())
        held.set()
        await waiting[0]
        waiting.append(asyncio.ensure_future(commit.take(arrival("d"))))
        await asyncio.sleep(0)  # it begins, and waits
        with pytest.raises(RequestRefused) as refused:
            await commit.take(arrival("e"))
        again.set()
        assert len(await asyncio.gather(*waiting)) == 4
        return refused.value

    assert asyncio.run(crowd()).status == 503


def test_late_check_ins_are_refused_when_the_writer_stops(shop: Shop) -> None:
    """503: nothing of theirs was taken; who had his turn has his answer."""
    batches = Batches(time_for=1)
    commit = GroupCommit(shop.writer, batches.take_all, 10_000)

    async def stop() -> list[Ack | BaseException]:
        held = hold(shop)
        waiting = [asyncio.ensure_future(commit.take(arrival(each))) for each in "abc"]
        await asyncio.sleep(0)  # each begins, and waits
        await asyncio.sleep(0)  # the writer is asked
        closing = threading.Thread(target=shop.writer.close)
        closing.start()
        while True:
            try:
                shop.writer.run(lambda _: None)
            except StoreError:
                break
        held.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        closing.join()
        return answers

    first, *rest = asyncio.run(stop())
    assert isinstance(first, Ack)
    assert [each.status for each in rest if isinstance(each, RequestRefused)] == [503, 503]
