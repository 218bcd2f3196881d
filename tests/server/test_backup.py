"""A backup is whole, of one moment and nobody else's; the way back changes nothing by halves."""

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from server import backup
from server.alerts.rows import Row
from server.current import Current
from server.errors import StoreError
from server.retention import Unkept
from server.store import fleet, kept, outbox, restores
from server.store.engine import migrate, open_engine
from server.store.restores import DROPPED, Restore
from server.views.api import past
from tests.server.live import Live
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Laptop, Shop, profile

MATCH, DRIFT = profile(HEAD), profile(BEHIND)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A store without HTTP; the test closes it."""
    folder = tmp_path / "data"
    folder.mkdir()
    return Shop(folder)


def file_of(shop: Shop) -> Path:
    """The database of a shop."""
    return Path(shop.url.removeprefix("sqlite:///"))


def put_back(shop: Shop, file: Path, *laptops: Laptop) -> Shop:
    """Stops a shop, puts a backup in its place, and opens it again a second later."""
    shop.close()
    backup.put_back(shop.url, file, shop.now)
    again = Shop(file_of(shop).parent)
    again.now = shop.now + 1
    again.current.restored_at = again.read(restores.restored_at)
    for laptop in laptops:
        laptop.shop = again
    return again


def test_a_backup_is_one_file_for_this_user_alone(shop: Shop, tmp_path: Path) -> None:
    """It needs no log beside it, and is what it says."""
    shop.enrol("ada").tell(MATCH)
    target = tmp_path / "a copy?.db"
    size = backup.make(shop.url, target, shop.now, force=False)
    shop.close()
    assert size == target.stat().st_size > 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("a copy")] == [
        target.name
    ]
    with closing(sqlite3.connect(target)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("SELECT label FROM machines").fetchall() == [("ada",)]
        assert db.execute("SELECT * FROM restores").fetchall() == [(1, shop.now, None)]


def test_a_file_that_is_there_is_replaced_by_force_only(shop: Shop, tmp_path: Path) -> None:
    """An older backup may be the only good one."""
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(StoreError, match="there already"):
        backup.make(shop.url, target, NOW, force=False)
    assert target.read_text() == "precious"
    backup.make(shop.url, target, NOW, force=True)
    shop.close()
    assert target.read_bytes().startswith(b"SQLite format 3")


def test_a_server_that_writes_without_end_does_not_hold_it_up(shop: Shop, tmp_path: Path) -> None:
    """Of one moment: two rows that are always written together are together in it."""
    stop = threading.Event()

    def pair(conn: Connection, number: int) -> None:
        for name in ("left", "right"):
            row = {"name": name, "value": str(number).encode() * 4_000}
            conn.exec_driver_sql("INSERT OR REPLACE INTO server_keys VALUES (:name, :value)", row)

    shop.write(lambda conn: pair(conn, 0))

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shop.write(lambda conn, number=number: pair(conn, number))  # type: ignore[misc]

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(5):
            backup.make(shop.url, tmp_path / f"{number}.db", NOW, force=False)
    finally:
        stop.set()
        writing.join()
    shop.close()
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as db:
            values = [row[0] for row in db.execute("SELECT value FROM server_keys")]
        assert len(values) == 2
        assert len(set(values)) == 1


def test_what_was_told_since_is_told_anew_and_nothing_twice(shop: Shop, tmp_path: Path) -> None:
    """Known numbers stay known; numbers that go on from unknown ones draw a new epoch."""
    kept_up, ahead, changed = (shop.enrol(name) for name in ("kept-up", "ahead", "changed"))
    for laptop in (kept_up, ahead, changed):
        laptop.tell(MATCH)
    last = kept_up.message(MATCH)
    kept_up.send(last)
    backup.make(shop.url, tmp_path / "copy.db", shop.now, force=False)
    shop.now += 3600
    ahead.tell(MATCH)
    changed.tell(DRIFT)
    assert shop.counted() == {"match": 2, "pending": 1}

    shop = put_back(shop, tmp_path / "copy.db", kept_up, ahead, changed)
    assert shop.counted() == {"match": 3}
    # Its ack was lost: known here, and taken once.
    assert not kept_up.send(last).resync
    # The next of what is known: nothing is missing.
    assert not kept_up.send(kept_up.message(MATCH)).resync
    for laptop, told in ((ahead, MATCH), (changed, DRIFT)):
        before = shop.rows("SELECT machine_id, seq, last_seen FROM presence ORDER BY machine_id")
        assert laptop.send(laptop.message(told)).resync
        assert (
            shop.rows("SELECT machine_id, seq, last_seen FROM presence ORDER BY machine_id")
            == before
        )
        laptop.epoch, laptop.seq = f"{len(laptop.label):016x}", 0
        assert not laptop.tell(told).resync
    assert shop.counted() == {"match": 2, "pending": 1}
    # Each has the short way again, and may count on.
    assert shop.rows("SELECT count(*) FROM presence WHERE key IS NULL") == [(0,)]
    assert not ahead.send(ahead.message(MATCH)).resync
    assert shop.rows("SELECT count(*) FROM assignments") == [(4,)]
    shop.close()


def test_a_gap_in_numbers_is_nothing_without_a_restore(shop: Shop) -> None:
    """Only a database that was put back can lack what was acknowledged."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    laptop.seq += 5
    assert not laptop.send(laptop.message(DRIFT)).resync
    shop.close()


def test_the_time_between_has_no_history(shop: Shop, tmp_path: Path) -> None:
    """People were told something then, and what that was is not known any more."""
    laptop = shop.enrol("ada")
    laptop.tell(MATCH)
    backup.make(shop.url, tmp_path / "copy.db", shop.now, force=False)
    before, between = shop.now, shop.now + DAY
    shop.now += 2 * DAY
    restored_at = shop.now
    shop = put_back(shop, tmp_path / "copy.db", laptop)
    assert shop.read(lambda conn: kept.unkept(conn, "history", before)) is None
    lost = shop.read(lambda conn: kept.unkept(conn, "history", between))
    assert lost == Unkept(restored_at, lost_from=before)
    assert shop.read(lambda conn: kept.unkept(conn, "history", restored_at)) is None
    seen = shop.read(lambda conn: past.machine_at(conn, laptop.id, between))
    share = shop.read(lambda conn: past.share(conn, between, shop.now, None))
    assert seen is not None
    assert (seen.standing, share.tally) == (None, None)
    assert str(seen.reason).startswith("lost: at ")
    assert share.reason == seen.reason
    assert shop.read(restores.last) == Restore(before, restored_at, unheard=1)
    laptop.tell(MATCH)
    assert shop.read(restores.last) == Restore(before, restored_at, unheard=0)
    shop.close()


def test_messages_that_waited_are_not_sent_and_the_operator_hears_why(
    shop: Shop, tmp_path: Path
) -> None:
    """They may have been sent after the backup; twice would be worse than a word about it."""
    row = Row(0, "machine x", "drifted", "{}", NOW)
    shop.write(lambda conn: outbox.insert(conn, row, NOW))
    backup.make(shop.url, tmp_path / "copy.db", shop.now, force=False)
    shop = put_back(shop, tmp_path / "copy.db")
    reasons = shop.rows("SELECT told, dropped_at, reason FROM outbox ORDER BY id")
    assert reasons == [("drifted", NOW, DROPPED), ("operator", None, None)]
    ((body,),) = shop.rows("SELECT body FROM outbox WHERE told = 'operator'")
    assert "1 messages that waited are not sent" in str(body)
    shop.close()


def test_what_was_revoked_since_stays_revoked(shop: Shop, tmp_path: Path) -> None:
    """The old database still says so; and laptops keep the tokens that they have now."""
    gone, stays = shop.enrol("gone"), shop.enrol("stays")
    backup.make(shop.url, tmp_path / "copy.db", shop.now, force=False)
    shop.now += 60
    shop.write(lambda conn: fleet.leave(conn, gone.id, shop.now))
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE enrolment_secrets SET revoked_at = 1"))
    shop.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE machines SET token_hash = 'new' WHERE label = 'stays'"
        )
    )
    shop = put_back(shop, tmp_path / "copy.db")
    assert shop.rows("SELECT label, left_at IS NULL FROM machines ORDER BY label") == [
        ("gone", 0),
        ("stays", 1),
    ]
    assert shop.rows("SELECT DISTINCT revoked_at FROM enrolment_secrets ORDER BY 1") == [
        (None,),
        (1,),
    ]
    assert shop.rows(f"SELECT token_hash FROM machines WHERE id = '{stays.id}'") == [("new",)]  # noqa: S608 - our own id
    shop.counted()
    shop.close()


def test_a_damaged_database_gives_way_with_its_log(shop: Shop, tmp_path: Path) -> None:
    """It stays beside the new one, which takes nothing of it for its own."""
    shop.enrol("ada")
    backup.make(shop.url, tmp_path / "copy.db", shop.now, force=False)
    shop.close()
    path = file_of(shop)
    path.write_bytes(b"no database" * 1_000)
    path.with_name(f"{path.name}-wal").write_bytes(b"a log" * 1_000)
    done = backup.put_back(shop.url, tmp_path / "copy.db", NOW + 9)
    assert not done.is_known
    assert done.aside is not None
    assert done.aside.read_bytes().startswith(b"no database")
    assert done.aside.with_name(f"{done.aside.name}-wal").read_bytes().startswith(b"a log")
    opened = open_engine(shop.url)
    with opened.connect() as conn:
        assert conn.exec_driver_sql("SELECT label FROM machines").scalars().all() == ["ada"]
    opened.dispose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["none", "text", "foreign", "damaged", "newer", "itself"])
def test_what_is_no_backup_changes_nothing(shop: Shop, tmp_path: Path, kind: str) -> None:
    """Neither the database nor what lies beside it."""
    shop.enrol("ada")
    file = tmp_path / "copy.db"
    backup.make(shop.url, file, shop.now, force=False)
    shop.close()
    if kind == "none":
        file.unlink()
    elif kind == "text":
        file.write_text("hello" * 999)
    elif kind == "foreign":
        file.unlink()
        with closing(sqlite3.connect(file)) as db:
            db.execute("CREATE TABLE a (b)")
    elif kind == "damaged":
        data = bytearray(file.read_bytes())
        data[4_096:40_960] = b"\xff" * 36_864
        file.write_bytes(data)
    elif kind == "newer":
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        file = file_of(shop)
    path = file_of(shop)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        backup.put_back(shop.url, file, NOW)
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} <= {"server.db", "server.db.lock"}


def test_an_older_backup_is_brought_up_to_date(tmp_path: Path) -> None:
    """One of before backups knew their moment, too: then it is the last one in it."""
    url = f"sqlite:///{tmp_path / 'server.db'}"
    migrate(url)
    old = tmp_path / "old.db"
    (tmp_path / "server.db").rename(old)
    with closing(sqlite3.connect(old)) as db, db:
        db.execute("INSERT INTO listened (began_at, last_at) VALUES (5, ?)", (NOW - DAY,))
    done = backup.put_back(url, old, NOW)
    assert done.aside is None
    assert done.resumed.backed_up_at == NOW - DAY


def test_a_backup_put_in_place_by_hand_is_not_served(live: Live, tmp_path: Path) -> None:
    """Until it is made fit: else what was acknowledged since would silently be believed."""
    live.start()
    secret = live.printed("enrolment-secret", "create")
    live.enrol("ada", "0" * 32, secret)
    copy = tmp_path / "copy.db"
    beside = live.run("backup", str(copy))
    assert beside.returncode == 0, beside.stderr
    refused = live.run("restore", str(copy))
    assert refused.returncode == 1
    assert "another server" in refused.stderr
    live.stop()
    (live.folder / "server.db").unlink()
    copy.rename(live.folder / "server.db")
    refused = live.run("serve", "--port", "0")
    assert refused.returncode == 1
    assert "restore --by-other-tools" in refused.stderr
    done = live.run("restore", "--by-other-tools")
    assert done.returncode == 0, done.stderr
    assert "was put back" in done.stderr
    live.start()
    assert "machines that count as they stood then: 1" in live.run("doctor").stdout


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    """The command says which ones, and repeats no password."""
    url = "postgresql://parity:secret@db/parity"  # nobody's
    for ask in (
        lambda: backup.make(url, tmp_path / "copy.db", NOW, force=False),
        lambda: backup.put_back(url, tmp_path / "copy.db", NOW),
    ):
        with pytest.raises(StoreError) as told:
            ask()
        assert "pg_dump" in told.value.advice
        assert "secret" not in str(told.value)


def test_a_new_server_knows_of_no_restore(shop: Shop) -> None:
    """Its current truth begins with none."""
    assert shop.read(restores.last) is None
    assert shop.read(restores.restored_at) == Current(shop.current.ledger).restored_at == 0
    shop.close()
