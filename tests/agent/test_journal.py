"""The journal on a real disk, through kills and damage."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import digest, exchange
from agent.errors import JournalError
from agent.journal import WANTED_KEPT_MAX, Journal, open_journal
from agent.wire import CHANGES_MAX, PROFILE_MAX_BYTES

A, B, C = b'{"is":"a"}', b'{"is":"b"}', b'{"is":"c"}'
DIGEST = {each: digest.of_bytes(each) for each in (A, B, C)}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A new journal."""
    made = open_journal(tmp_path)
    yield made
    made.close()


def send(journal: Journal) -> bytes:
    """Composes the next check-in and keeps it as sent, as a conversation does."""
    backlog = journal.backlog()
    assert backlog is not None
    body = exchange.check_in(backlog, wire=1, agent="0.1.0", clock=1)
    journal.keep_sent(body, backlog)
    return body


def told(journal: Journal) -> list[str]:
    """The digests that the next new check-in would tell as changes."""
    backlog = journal.backlog()
    assert backlog is not None
    return [change.profile for change in backlog.changes]


def test_an_unchanged_profile_is_no_change(journal: Journal) -> None:
    """Recording the present profile again writes nothing."""
    assert journal.record(A, 1)
    assert not journal.record(A, 2)
    assert told(journal) == []


def test_earlier_profiles_are_told_oldest_first(journal: Journal) -> None:
    """There and back again is three changes, the last of which is the present."""
    for at, profile in enumerate((A, B, A), start=10):
        journal.record(profile, at)
    backlog = journal.backlog()
    assert backlog is not None
    assert [(each.profile, each.at) for each in backlog.changes] == [
        (DIGEST[A], 10),
        (DIGEST[B], 11),
    ]
    assert backlog.present == DIGEST[A]


def test_a_resend_is_byte_for_byte_the_same(journal: Journal, tmp_path: Path) -> None:
    """A change after the sending does not alter what is sent again, across a restart too."""
    journal.record(A, 1)
    body = send(journal)
    journal.record(B, 2)
    journal.close()
    again = open_journal(tmp_path)
    assert again.sent() == body
    again.close()


def test_a_change_after_the_sending_outlives_the_ack(journal: Journal) -> None:
    """An ack removes what was told and nothing newer."""
    journal.record(A, 1)
    send(journal)
    journal.record(B, 2)
    journal.record(C, 3)
    journal.acknowledge((), more_may_follow=False)
    assert journal.untold()
    assert told(journal) == [DIGEST[B]]


def test_numbers_grow_by_one_with_each_new_check_in(journal: Journal) -> None:
    """The sequence counts check-ins, not sendings."""
    journal.record(A, 1)
    seen = []
    for _ in range(3):
        backlog = journal.backlog()
        assert backlog is not None
        seen.append(backlog.seq)
        send(journal)
        journal.acknowledge((), more_may_follow=False)
    assert seen == [1, 2, 3]


def test_a_new_epoch_tells_the_unacknowledged_anew(journal: Journal) -> None:
    """After a resync nothing that was sent is taken for told."""
    journal.record(A, 1)
    journal.record(B, 2)
    send(journal)
    before = journal.backlog()
    journal.begin_epoch()
    after = journal.backlog()
    assert before is not None
    assert after is not None
    assert after.epoch != before.epoch
    assert after.seq == 1
    assert told(journal) == [DIGEST[A]]


def test_a_full_journal_lets_the_oldest_go_and_counts_it(journal: Journal) -> None:
    """One check-in can tell what is kept, and says how many are missing."""
    for number in range(CHANGES_MAX + 4):
        journal.record(b'{"n":%d}' % number, number)
    backlog = journal.backlog()
    assert backlog is not None
    assert len(backlog.changes) == CHANGES_MAX
    assert backlog.changes[0].at == 3
    assert backlog.dropped == 3


def test_the_dropped_are_told_once(journal: Journal) -> None:
    """What an acknowledged check-in counted is not counted again."""
    for number in range(CHANGES_MAX + 2):
        journal.record(b'{"n":%d}' % number, number)
    send(journal)
    journal.acknowledge((), more_may_follow=False)
    backlog = journal.backlog()
    assert backlog is not None
    assert backlog.dropped == 0


@pytest.mark.parametrize("waiting", [1, 2, 3, CHANGES_MAX])
def test_shedding_makes_the_next_check_in_smaller(journal: Journal, waiting: int) -> None:
    """Shed halves the earlier changes, down to none, and keeps the present profile."""
    for number in range(waiting + 1):
        journal.record(b'{"n":%d}' % number, number)
    send(journal)
    journal.shed()
    backlog = journal.backlog()
    assert backlog is not None
    assert len(backlog.changes) == waiting // 2
    assert backlog.dropped == waiting - waiting // 2
    assert backlog.present == digest.of_bytes(b'{"n":%d}' % waiting)


def test_wanted_bytes_stay_until_they_are_delivered(journal: Journal) -> None:
    """A profile that is past is kept while the server asks for it."""
    journal.record(A, 1)
    journal.record(B, 2)
    send(journal)
    journal.acknowledge((DIGEST[A],), more_may_follow=False)
    assert journal.wanted() == (DIGEST[A],)
    assert journal.profile(DIGEST[A]) == A
    journal.delivered(DIGEST[A])
    assert journal.wanted() == ()
    assert journal.profile(DIGEST[A]) is None


def test_the_present_bytes_are_always_kept(journal: Journal) -> None:
    """The server may ask for them at any later ack."""
    journal.record(A, 1)
    send(journal)
    journal.acknowledge((), more_may_follow=False)
    assert journal.profile(DIGEST[A]) == A


def test_a_full_ack_lets_no_bytes_go(journal: Journal) -> None:
    """A server that asked for as many as it can may ask for the rest next time."""
    journal.record(A, 1)
    journal.record(B, 2)
    send(journal)
    journal.acknowledge((), more_may_follow=True)
    assert journal.profile(DIGEST[A]) == A


def test_a_server_that_never_takes_cannot_fill_the_disk(journal: Journal) -> None:
    """Wanted profiles are bounded; the newest stay."""
    bodies = [b'{"n":%d}' % number for number in range(WANTED_KEPT_MAX + 5)]
    for body in bodies:
        journal.record(body, 1)
        send(journal)
        journal.acknowledge((digest.of_bytes(body),), more_may_follow=False)
    assert len(journal.wanted()) == WANTED_KEPT_MAX
    assert digest.of_bytes(bodies[-1]) in journal.wanted()


def test_a_stray_ack_changes_nothing(journal: Journal) -> None:
    """Without a check-in under way there is nothing to acknowledge."""
    journal.record(A, 1)
    journal.acknowledge((), more_may_follow=False)
    assert journal.untold()


def test_a_profile_beyond_the_limit_is_refused(journal: Journal) -> None:
    """It could never be sent, so it is not kept."""
    with pytest.raises(JournalError, match="cannot be kept"):
        journal.record(b"x" * (PROFILE_MAX_BYTES + 1), 1)
    assert journal.backlog() is None


def test_the_last_word_is_remembered(journal: Journal) -> None:
    """The newest of a name replaces the one before."""
    journal.remember("view", b"old", 1)
    journal.remember("view", b"new", 2)
    assert journal.remembered("view") == (b"new", 2)
    assert journal.remembered("ack") is None


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_the_file_is_its_owners_alone(journal: Journal, tmp_path: Path) -> None:
    """No other user can read the journal."""
    journal.record(A, 1)
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage", [b"not a database, and long enough to be read as one" * 40, b"SQLite format 3\0junk"]
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    """The agent goes on with a new epoch, and the old bytes stay for a look."""
    (tmp_path / "journal.db").write_bytes(damage)
    journal = open_journal(tmp_path)
    assert journal.record(A, 1)
    journal.close()
    assert (tmp_path / "journal.damaged.db").read_bytes() == damage


def test_a_journal_torn_in_the_middle_is_set_aside(tmp_path: Path) -> None:
    """Pages lost by a disk are found when it is opened."""
    journal = open_journal(tmp_path)
    for number in range(40):
        journal.record(b'{"n":"%s"}' % (b"%d" % number * 400), number)
    journal.close()
    path = tmp_path / "journal.db"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * 8192 + data[12288:])
    journal = open_journal(tmp_path)
    assert journal.backlog() is None
    journal.close()
    assert (tmp_path / "journal.damaged.db").exists()


def test_a_foreign_database_is_set_aside(tmp_path: Path) -> None:
    """A sound SQLite file of another shape is not a journal."""
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("CREATE TABLE other (x)")
    connection.close()
    journal = open_journal(tmp_path)
    assert journal.record(A, 1)
    journal.close()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder where the file should be is an error with advice, not a traceback."""
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(JournalError) as caught:
        open_journal(tmp_path)
    assert caught.value.advice


KILLED = """
import sys
from pathlib import Path
from agent.journal import open_journal
journal = open_journal(Path(sys.argv[1]))
for number in range(10_000):
    journal.record(b'{"n":%d}' % number, number)
    print(number, flush=True)
"""


def test_a_kill_loses_no_change_that_was_recorded(tmp_path: Path) -> None:
    """What `record` returned for is there after SIGKILL at any moment."""
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        seen = [int(child.stdout.readline()) for _ in range(7)]
        child.send_signal(signal.SIGKILL)
        seen += [int(line) for line in child.stdout.read().split()]
        child.wait()
        child.stdout.close()
        journal = open_journal(tmp_path)
        backlog = journal.backlog()
        journal.close()
        assert backlog is not None
        kept = [change.at for change in backlog.changes]
        present_or_later = {digest.of_bytes(b'{"n":%d}' % n) for n in (seen[-1], seen[-1] + 1)}
        assert backlog.present in present_or_later
        assert set(seen[-CHANGES_MAX:-1]) <= set(kept)
    assert not (tmp_path / "journal.damaged.db").exists()
