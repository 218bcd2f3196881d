"""Power lost at any byte: the journal, its rollback journal, and the small files.

A disk keeps as much of a file as it had written: each test cuts a real file at every byte and
starts the agent's own code over what is left. The journal is laid in SQLite's smallest pages,
so that every byte of it can be tried.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from agent import digest, exchange, identity, platforms
from agent.errors import IdentityError
from agent.exchange import Backlog
from agent.fingerprint import Fingerprints, Reading
from agent.host import Host
from agent.identity import Identity, Wish
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.testing import program_bytes
from agent.wire import Activity, CheckIn

NOON = 1_795_000_000
FAR_FUTURE_NS = 10**19
PAGE = 512
A, B, C, D = (b'{"is":"%s"}' % each for each in (b"a", b"b", b"c" * 1_500, b"d"))
USED = Activity(day=20_779, surface="terminal", build="a" * 64, seconds=60, starts=1)
STRIDE = 7
"""Where a disk has lied as well, not each byte of it is tried."""

# As one `record`, one `acknowledge` and one `remember` write them.
WRITES: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("INSERT INTO profiles VALUES (?, ?, 0)", (digest.of_bytes(C), C)),
    ("INSERT INTO changes (profile, at) VALUES (?, 9)", (digest.of_bytes(C),)),
    ("UPDATE journal SET present = ?, seq = 7", (digest.of_bytes(C),)),
    ("DELETE FROM changes WHERE id = 1", ()),
    ("DELETE FROM sent", ()),
    ("DELETE FROM activity_sent", ()),
    ("DELETE FROM profiles WHERE digest = ?", (digest.of_bytes(A),)),
    ("INSERT INTO remembered VALUES ('ack', zeroblob(1500), 9)", ()),
)


@dataclass(frozen=True)
class Disk:
    """What a power cut may leave of a journal.

    Attributes:
        before: The file, before a transaction.
        during: The file, in the middle of it.
        hot: Its rollback journal then.
        backlog: What it had to tell before.
    """

    before: bytes
    during: bytes
    hot: bytes
    backlog: Backlog


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    """A journal with something in each of its tables, caught in the middle of a write."""
    folder = tmp_path_factory.mktemp("disk")
    path = folder / "journal.db"
    with closing(open_journal(folder)) as journal:
        journal.record(A, 1)
        journal.record(B, 2)
        journal.add_activity([USED])
        backlog = journal.backlog()
        assert backlog is not None
        journal.keep_sent(exchange.check_in(backlog, wire=1, agent="0.1.0", clock=3), backlog)
        journal.add_activity([USED])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("VACUUM")
    before = path.read_bytes()
    with closing(open_journal(folder)) as journal:
        kept = journal.backlog()
        assert kept is not None
        # With no room in memory the pages go to the disk before the commit.
        journal._db.execute("PRAGMA cache_size = 1")
        journal._db.execute("BEGIN IMMEDIATE")
        for statement, values in WRITES:
            journal._db.execute(statement, values)
        during, hot = path.read_bytes(), (folder / "journal.db-journal").read_bytes()
        journal._db.rollback()
    assert during != before
    return Disk(before, during, hot, kept)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder, in memory where there is such a disk: no test here waits for a real one."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def lay(folder: Path, file: bytes, hot: bytes = b"") -> None:
    """What the disk has after the power cut."""
    for each in folder.iterdir():
        each.unlink()
    (folder / "journal.db").write_bytes(file)
    if hot:
        (folder / "journal.db-journal").write_bytes(hot)


def started(folder: Path) -> Backlog | None:
    """What the agent has to tell when it starts; none of it is garbage, and it goes on."""
    with closing(open_journal(folder)) as journal:
        backlog = journal.backlog()
        if (sent := journal.sent()) is not None:
            msgspec.json.decode(sent, type=CheckIn)
        if backlog is not None:
            body = exchange.check_in(backlog, wire=1, agent="0.1.0", clock=3)
            msgspec.json.decode(body, type=CheckIn)
            for name in (backlog.present, *(each.profile for each in backlog.changes)):
                assert digest.of_bytes(journal.profile(name) or b"") == name
        assert journal.record(D, 10)
    return backlog


def was_set_aside(folder: Path) -> bool:
    """Whether the agent begins a new journal, and keeps the old for a look."""
    return (folder / "journal.damaged.db").exists()


def test_a_journal_cut_at_any_byte_is_set_aside_whole(disk: Disk, folder: Path) -> None:
    """The agent starts with a new epoch; an empty file is a new one, and the whole one is kept."""
    for cut in range(len(disk.before)):
        lay(folder, disk.before[:cut])
        assert started(folder) is None, cut
        # To SQLite a file of one byte is a new one too.
        assert was_set_aside(folder) == (cut > 1), cut
    lay(folder, disk.before)
    assert started(folder) == disk.backlog


def test_a_write_that_was_cut_off_anywhere_loses_nothing(disk: Disk, folder: Path) -> None:
    """Power goes while the rollback journal is written: the file is as before."""
    for cut in range(len(disk.hot) + 1):
        lay(folder, disk.before, disk.hot[:cut])
        assert started(folder) == disk.backlog, cut
        assert not was_set_aside(folder)


def test_a_write_caught_in_the_middle_is_rolled_back(disk: Disk, folder: Path) -> None:
    """Power goes while the file itself is written: the rollback journal mends it."""
    lay(folder, disk.during, disk.hot)
    assert started(folder) == disk.backlog
    assert not was_set_aside(folder)


def test_a_disk_that_lost_synced_bytes_makes_no_garbage(disk: Disk, folder: Path) -> None:
    """It said that the rollback journal was written, and it was not: what is left makes sense."""
    for cut in range(0, len(disk.hot), STRIDE):
        lay(folder, disk.during, disk.hot[:cut])
        started(folder)
    for cut in range(0, len(disk.during), STRIDE):
        lay(folder, disk.during[:cut], disk.hot)
        started(folder)


def beginnings(file: Path) -> Iterator[bytes]:
    """Every beginning of a file, laid in its place: the rename reached the disk, the rest not."""
    whole = file.read_bytes()
    for cut in range(len(whole)):
        file.write_bytes(whole[:cut])
        yield whole[:cut]
    file.write_bytes(whole)


def test_an_identity_cut_anywhere_is_told_as_damaged(folder: Path) -> None:
    """No half of a token is ever sent; the person reads what to do, and the whole one is used."""
    who = Identity("https://parity.example", "m-1", "tok-5ecret", "laptop-7", "default", "Ada")
    identity.keep(folder, who)
    for _ in beginnings(folder / "identity.json"):
        with pytest.raises(IdentityError, match="is damaged") as caught:
            identity.load(folder)
        assert "parity-agent enrol" in caught.value.advice
    assert identity.load(folder) == who


def test_an_enrolment_cut_anywhere_is_told_as_damaged(folder: Path) -> None:
    """A half key would enrol the machine a second time."""
    wish = Wish("https://parity.example", "laptop-7")
    key = identity.begin(folder, wish)
    for _ in beginnings(folder / "enrolling.json"):
        with pytest.raises(IdentityError, match="is damaged") as caught:
            identity.begin(folder, wish)
        assert "enrolling.json" in caught.value.advice
    assert identity.begin(folder, wish) == key


def test_a_pause_cut_anywhere_is_no_leave_to_look(folder: Path) -> None:
    """Somebody asked to be left alone, and only a person ends that."""
    pauses = Pauses(folder)
    asked = pauses.begin(NOON, 3_600)
    for _ in beginnings(pauses.file):
        with pytest.raises(IdentityError, match="is damaged") as caught:
            pauses.current(NOON)
        assert "parity-agent resume" in caught.value.advice
    assert pauses.current(NOON) == asked
    pauses.end()
    assert pauses.current(NOON) is None


def test_a_cache_cut_anywhere_costs_one_reading(folder: Path) -> None:
    """What it held is read from the files again, and the cache is whole after that."""
    program, cache = folder / "claude", folder / "fingerprints.json"
    program.write_bytes(program_bytes("linux-x64", "2.1.330"))
    host = platforms.live(home=folder, system_root=folder, environment={})
    built = _examined(cache, host, program)
    whole = cache.read_bytes()
    for _ in beginnings(cache):
        assert _examined(cache, host, program) == built
        assert cache.read_bytes() == whole


def _examined(cache: Path, host: Host, program: Path) -> Reading:
    fingerprints = Fingerprints(cache, clock=lambda: FAR_FUTURE_NS)
    found = fingerprints.examine(host, program)
    fingerprints.save()
    return found


def test_what_was_never_renamed_is_not_read(folder: Path) -> None:
    """Power goes before the rename: the old file holds, whatever lies beside it."""
    who = Identity("https://parity.example", "m-1", "tok-5ecret", "laptop-7", "default")
    identity.keep(folder, who)
    (folder / "identity.json.0badcafe.new").write_bytes(b'{"server_url": "https://par')
    assert identity.load(folder) == who
