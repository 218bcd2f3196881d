"""Counts of activity in the journal: added up, told once, bounded."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agent import exchange
from agent.journal import Journal, open_journal
from agent.journal_activity import ACTIVITY_KEPT_MAX, STARTS_MAX
from agent.wire import ACTIVE_MAX_S, ACTIVITY_MAX, CHANGES_MAX, Activity, CheckIn
from server.settings import Settings as ServerSettings

DAY = 20_779
BUILD = "a" * 64


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with a present profile."""
    made = open_journal(tmp_path)
    made.record(b'{"is":"a"}', 1)
    yield made
    made.close()


def used(
    seconds: int = 60,
    starts: int = 1,
    *,
    day: int = DAY,
    surface: str = "terminal",
    build: str | None = BUILD,
) -> Activity:
    """One count."""
    return Activity(day=day, surface=surface, build=build, seconds=seconds, starts=starts)


def send(journal: Journal) -> bytes:
    """Composes the next check-in and keeps it as sent, as a conversation does."""
    backlog = journal.backlog()
    assert backlog is not None
    body = exchange.check_in(backlog, wire=1, agent="0.1.0", clock=1)
    journal.keep_sent(body, backlog)
    return body


def told(body: bytes) -> tuple[Activity, ...]:
    """The activity that a check-in tells; as strictly read as a server reads it."""
    return msgspec.json.decode(body, type=CheckIn).activity


def waiting(journal: Journal) -> tuple[Activity, ...]:
    """What the next new check-in would tell."""
    backlog = journal.backlog()
    assert backlog is not None
    return backlog.activity


def test_counts_of_one_day_surface_and_build_add_up(journal: Journal) -> None:
    """The others are apart, and what was not examined is one of its own."""
    journal.add_activity([used(60, 1), used(60, 0, surface="editor"), used(5, 0, build=None)])
    journal.add_activity([used(30, 2), used(7, 0, build=None), used(1, 0, day=DAY - 1)])
    assert waiting(journal) == (
        used(1, 0, day=DAY - 1),
        used(60, 0, surface="editor"),
        used(12, 0, build=None),
        used(90, 3),
    )


def test_activity_alone_makes_no_check_in(journal: Journal) -> None:
    """It goes with the next one that is due."""
    send(journal)
    journal.acknowledge((), more_may_follow=False)
    journal.add_activity([used()])
    assert not journal.untold()


def test_what_was_told_goes_with_its_ack_and_what_came_meanwhile_stays(
    journal: Journal, tmp_path: Path
) -> None:
    """The same key, before and after the sending, across a restart."""
    journal.add_activity([used(60, 1)])
    body = send(journal)
    journal.add_activity([used(15, 0)])
    journal.close()
    again = open_journal(tmp_path)
    assert again.sent() == body
    assert told(body) == (used(60, 1),)
    assert waiting(again) == (used(15, 0),)
    again.acknowledge((), more_may_follow=False)
    assert waiting(again) == (used(15, 0),)
    assert told(send(again)) == (used(15, 0),)
    again.close()


def test_a_new_epoch_tells_what_was_sent_anew(journal: Journal) -> None:
    """With what came meanwhile, as one count; it was not counted before."""
    journal.add_activity([used(60, 1)])
    send(journal)
    journal.add_activity([used(15, 1), used(3, 0, surface="sdk")])
    journal.begin_epoch()
    assert told(send(journal)) == (used(3, 0, surface="sdk"), used(75, 2))
    journal.acknowledge((), more_may_follow=False)
    assert waiting(journal) == ()


def test_a_refused_check_in_lets_its_activity_go(journal: Journal) -> None:
    """It may have arrived by an earlier sending, so it is counted as dropped and not told again."""
    journal.add_activity([used(60, 1), used(60, 1, surface="editor")])
    send(journal)
    journal.add_activity([used(15, 0)])
    journal.shed()
    backlog = journal.backlog()
    assert backlog is not None
    assert backlog.activity == (used(15, 0),)
    assert backlog.dropped == 2


def test_one_check_in_tells_so_many_and_the_next_the_others(journal: Journal) -> None:
    """The oldest day first, and each count once."""
    counts = [used(day=DAY + number) for number in range(ACTIVITY_MAX + 3)]
    journal.add_activity(reversed(counts))
    first = told(send(journal))
    journal.acknowledge((), more_may_follow=False)
    second = told(send(journal))
    journal.acknowledge((), more_may_follow=False)
    assert [*first, *second] == counts
    assert len(first) == ACTIVITY_MAX
    assert waiting(journal) == ()


def test_more_than_one_count_can_hold_is_told_in_parts(journal: Journal) -> None:
    """Nothing is cut off, and no check-in is one that the server refuses."""
    journal.add_activity([used(ACTIVE_MAX_S + 5, STARTS_MAX + 2)])
    parts: list[Activity] = []
    for _ in range(2):
        parts += told(send(journal))
        journal.acknowledge((), more_may_follow=False)
    assert parts == [used(ACTIVE_MAX_S, STARTS_MAX), used(5, 2)]


def test_a_full_journal_lets_the_oldest_day_go_and_counts_it(journal: Journal) -> None:
    """What a check-in under way tells is not among them."""
    journal.add_activity([used(day=DAY - 9)])
    send(journal)
    journal.add_activity(used(day=DAY + number) for number in range(ACTIVITY_KEPT_MAX + 3))
    backlog = journal.backlog()
    assert backlog is not None
    assert backlog.activity[0].day == DAY + 3
    assert backlog.dropped == 3
    journal.begin_epoch()
    backlog = journal.backlog()
    assert backlog is not None
    assert (backlog.activity[0].day, backlog.dropped) == (DAY + 3, 4)


def test_another_enrolment_tells_nothing_of_the_earlier_one(journal: Journal) -> None:
    """What was sent and what waits are forgotten with the rest."""
    journal.add_activity([used()])
    send(journal)
    journal.add_activity([used(surface="editor")])
    journal.begin_epoch()
    journal.forget()
    backlog = journal.backlog()
    assert backlog is not None
    assert (backlog.activity, backlog.dropped) == ((), 0)


def test_the_fullest_check_in_is_one_that_the_server_reads(journal: Journal) -> None:
    """As many changes and counts as one can tell stay under the server's limit."""
    for number in range(CHANGES_MAX + 1):
        journal.record(b'{"n":%d}' % number, 1_795_000_000)
    counts = [used(86_400 * 9, 9_999, day=DAY + n, surface="background") for n in range(64)]
    journal.add_activity(counts)
    body = send(journal)
    assert len(told(body)) == ACTIVITY_MAX
    assert len(body) <= ServerSettings().check_in_max_bytes
