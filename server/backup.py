"""A backup of a SQLite database, and the way back.

A backup is one file that needs no other, of one moment of a database on which a server may be
at work. It is whole under its name or not there at all, and this user's alone.

The way back changes nothing before all is ready: the backup is checked and copied beside the
database, brought up to this version's schema and made fit to go on (`server.store.restores`);
then it takes the database's name, under which there is a whole one at every moment. The old
one stays beside it.

PostgreSQL has tools of its own, which know its log: `by_other_tools` does what is to be done
after those.
"""

import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, make_url

from server.alerts.outbox import tell_operator
from server.errors import StoreError
from server.shown import moment
from server.store import engine as database
from server.store import restores, sqlite
from server.store import sqlite_files as files
from server.store.lock import ProcessLock
from server.store.restores import Resumed, Revoked
from server.store.tables import machines
from server.store.writer import Writer

_TOKENS = tuple(each.name for each in machines.columns if each.name.endswith("token_hash"))


@dataclass(frozen=True)
class PutBack:
    """What came of putting a backup back.

    Attributes:
        resumed: What was done to it.
        aside: Where the old database is; None if there was none.
        is_known: The old one could be read: what was revoked there is revoked here too.
    """

    resumed: Resumed
    aside: Path | None
    is_known: bool


def make(url: str, target: Path, now: int, *, force: bool) -> int:
    """Copies the database into a new file.

    Args:
        url: Of the database; a server may be running on it.
        target: The file to make.
        now: Whole seconds since the epoch.
        force: Replace a file that is there.

    Returns:
        Its size in bytes.

    Raises:
        StoreError: There is such a file, the database cannot be read, it has another schema
            than this code's, or the file cannot be written: then there is none.
    """
    source = _file_of(url)
    database.open_engine(url).dispose()
    if target.exists() and not force:
        raise _there_already(target)
    with files.fresh(target.with_name(f"{target.name}.partial")) as partial:
        files.copy(source, partial)
        with files.connected(partial) as copy, copy:
            copy.execute("INSERT INTO restores (backed_up_at) VALUES (?)", (now,))
        files.seal(partial)
        with files.told(target):
            _name(partial, target, force=force)
    return target.stat().st_size


def put_back(url: str, file: Path, now: int) -> PutBack:
    """Puts a backup in the place of the database.

    Args:
        url: Of the database; no server may be running on it, and it need not exist.
        file: The backup; it stays as it is.
        now: Whole seconds since the epoch.

    Raises:
        StoreError: A server is running, or the file is no usable backup: nothing was changed.
    """
    path = _file_of(url)
    if not file.is_file():
        raise StoreError(f"there is no file {file}", advice="name a backup")
    if path.exists() and file.samefile(path):
        raise StoreError(f"{file} is the database itself", advice="name a backup")
    lock = ProcessLock(path.with_name(f"{path.name}.lock"))
    try:
        with files.fresh(path.with_name(f"{path.name}.restoring")) as copy:
            files.copy(file, copy)
            _check(copy, file)
            database.migrate(f"sqlite:///{copy}")
            revoked = _carry_over(path, copy) if path.exists() else None
            resumed = _resume(f"sqlite:///{copy}", now, revoked)
            files.seal(copy)
            with files.told(path):
                aside = (
                    _set_aside(path, now, is_sound=revoked is not None) if path.exists() else None
                )
                copy.replace(path)
                files.sync(path.parent)
    finally:
        lock.release()
    return PutBack(resumed, aside, revoked is not None)


def by_other_tools(url: str, now: int) -> Resumed:
    """Makes a database fit to go on that other tools put back.

    Args:
        url: Of the database; no server may be running on it.
        now: Whole seconds since the epoch.

    Raises:
        StoreError: A server is running, or the database cannot be opened or written.
    """
    opened = database.open_engine(url)
    try:
        writer = Writer(opened)
        try:
            return writer.run(lambda conn: _resumed(conn, now, None)).result()
        finally:
            writer.close()
    finally:
        opened.dispose()


def _resume(url: str, now: int, revoked: Revoked | None) -> Resumed:
    opened = database.open_engine(url)
    try:
        with database.writing(opened) as conn:
            return _resumed(conn, now, revoked)
    finally:
        opened.dispose()


def _resumed(conn: Connection, now: int, revoked: Revoked | None) -> Resumed:
    resumed = restores.resume(conn, now, revoked)
    tell_operator(conn, f"restore {now}", said(resumed, now), now)
    return resumed


def said(resumed: Resumed, now: int) -> str:
    """What an operator has to know of a restore. Pure."""
    return (
        f"the database was put back at {moment(now)} as it was at {moment(resumed.backed_up_at)}:"
        f" its {resumed.machines} machines count as they stood then until they speak again,"
        f" {resumed.messages} messages that waited are not sent, and what changed since may be"
        " told a second time"
    )


def _file_of(url: str) -> Path:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        raise StoreError(
            "this database is no SQLite file, and its own tools copy it better",
            advice="use pg_dump or pg_basebackup; once such a copy is put back, run"
            " `parity-server restore --by-other-tools` before the server starts",
        )
    return sqlite.path_of(address)


def _check(copy: Path, file: Path) -> None:
    with files.told(file), files.connected(copy) as db:
        found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    if found != ["ok"]:
        raise StoreError(f"{file} is damaged: {found[0]}", advice="name another backup")
    if not {"alembic_version", "machines"} <= tables:
        raise StoreError(f"{file} is no database of this server", advice="name a backup")


def _carry_over(old: Path, copy: Path) -> Revoked | None:
    """Takes over what is true of keys, whatever moment the backup is of; None if unreadable.

    Laptops keep the tokens that they have, and nobody gets back what was taken away.
    """
    try:
        with files.connected(copy) as db, db:
            db.execute("ATTACH ? AS old", (f"file:{files.quoted(old)}?mode=ro",))
            sets = ", ".join(f"{name} = theirs.{name}" for name in _TOKENS)
            db.execute(
                f"UPDATE machines SET {sets} FROM old.machines AS theirs"  # noqa: S608 - our own columns
                " WHERE theirs.id = machines.id"
            )
            revoked, left = (
                "revoked_at FROM old.{} WHERE revoked_at",
                "left_at FROM old.{} WHERE left_at",
            )
            return Revoked(
                tokens=_dated(db, revoked.format("tokens")),
                secrets=_dated(db, revoked.format("enrolment_secrets")),
                machines=_dated(db, left.format("machines")),
            )
    except sqlite3.Error:
        return None


def _dated(db: sqlite3.Connection, rest: str) -> dict[str, int]:
    return dict(db.execute(f"SELECT id, {rest} IS NOT NULL"))


def _set_aside(path: Path, now: int, *, is_sound: bool) -> Path:
    """Gives the old database, whatever its state, a second name; its log goes with it."""
    aside = path.with_name(
        f"{path.stem}.before-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}.db"
    )
    if is_sound:
        with files.connected(path) as old:
            # The last connection to close carries the log over, and removes it.
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in ("-wal", "-shm"):
        log = path.with_name(path.name + end)
        if log.exists():  # the new one must not take it for its own
            log.replace(aside.with_name(aside.name + end))
    os.link(path, aside)
    return aside


def _name(partial: Path, target: Path, *, force: bool) -> None:
    if force:
        partial.replace(target)
    else:
        try:
            os.link(partial, target)
        except FileExistsError as error:
            raise _there_already(target) from error
    files.sync(target.parent)


def _there_already(target: Path) -> StoreError:
    return StoreError(f"{target} is there already", advice="name another file, or add --force")
