"""What this laptop has seen and its server has not acknowledged: one SQLite file.

A change of profile is durable here before anything is sent, and stays until an ack::

    changes   A  B  C  D        rows in the order seen; the last one is the present
              ~~~~~~~           sent: a check-in's exact bytes, kept in `sent` with the
                    ^           last row that it tells (`upto`)
                    upto        acknowledged: these rows go, and only these

A resend is therefore byte for byte the first sending, and a change seen in between waits
for the next check-in. Profile bytes stay as long as the server may want them: while they
are present, told in an unacknowledged row, or asked for and not delivered.

Counts of activity go the same way (`agent.journal_activity`): added up until a check-in tells
them, and gone with its ack.

Bounded: at most `CHANGES_MAX` changes and `ACTIVITY_KEPT_MAX` counts wait beside those already
in `sent`; the oldest is let go and counted, and the next check-in tells how many were. The file
itself, its durability, its formats and what happens to a damaged one are `agent.journal_file`'s.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from agent import digest, journal_activity, journal_file
from agent.errors import JournalError
from agent.exchange import Backlog
from agent.wire import CHANGES_MAX, PROFILE_MAX_BYTES, WANTED_MAX, Activity, Change

WANTED_KEPT_MAX = 4 * WANTED_MAX
"""Most profiles that are kept because the server asked for them; the newest stay."""

_log = structlog.stdlib.get_logger("agent.journal")


class Journal:
    """The journal of one state folder; one connection, used by one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def record(self, profile: bytes, at: int) -> bool:
        """Makes a profile the present one; durable when this returns.

        Args:
            profile: Its canonical bytes, at most `PROFILE_MAX_BYTES`.
            at: The agent's clock, epoch seconds.

        Returns:
            Whether it differs from the one before.

        Raises:
            JournalError: It could not be kept.
        """
        if len(profile) > PROFILE_MAX_BYTES:
            raise JournalError(
                f"a profile of {len(profile)} bytes cannot be kept",
                advice=f"at most {PROFILE_MAX_BYTES} can; report this as a fault",
            )
        name = digest.of_bytes(profile)
        with self._writing():
            if self._one("SELECT present FROM journal") == name:
                return False
            self._run("INSERT OR IGNORE INTO profiles VALUES (?, ?, 0)", name, profile)
            self._run("INSERT INTO changes (profile, at) VALUES (?, ?)", name, at)
            self._run("UPDATE journal SET present = ?", name)
            self._bound()
        return True

    def add_activity(self, counts: Iterable[Activity]) -> None:
        """Adds counts of activity to those that wait; durable when this returns.

        Raises:
            JournalError: They could not be kept; none of them was.
        """
        with self._writing():
            self._dropped("activity", journal_activity.add(self._db, counts))

    def sent(self) -> bytes | None:
        """The check-in that was sent, or was about to be, and has no answer yet."""
        with self._told():
            return self._one_bytes("SELECT body FROM sent")

    def backlog(self) -> Backlog | None:
        """What a new check-in tells; None before the first profile.

        Raises:
            JournalError: The journal cannot be read.
        """
        with self._told():
            of_journal = "SELECT epoch, seq, dropped, present FROM journal"
            epoch, seq, dropped, present = self._run(of_journal).fetchone()
            rows = list(self._run("SELECT id, profile, at FROM changes ORDER BY id"))
            activity = journal_activity.oldest(self._db)
        if present is None:
            return None
        upto = rows[-1][0] if rows else 0
        changes = tuple(Change(profile=row[1], at=row[2]) for row in rows[:-1])
        return Backlog(epoch, seq + 1, present, changes, dropped, upto, activity)

    def untold(self) -> bool:
        """Whether a change waits that no unanswered check-in tells; activity can wait."""
        with self._told():
            newer = "SELECT 1 FROM changes WHERE id > coalesce((SELECT upto FROM sent), 0)"
            return bool(self._one(f"SELECT EXISTS ({newer})"))

    def keep_sent(self, body: bytes, backlog: Backlog) -> None:
        """Keeps a new check-in's bytes before they are sent.

        Raises:
            JournalError: They could not be kept.
        """
        with self._writing():
            self._run("INSERT INTO sent VALUES (1, ?, ?, ?)", body, backlog.upto, backlog.dropped)
            journal_activity.send(self._db, backlog.activity)
            self._run("UPDATE journal SET seq = ?", backlog.seq)

    def acknowledge(self, wanted: Iterable[str], *, more_may_follow: bool) -> None:
        """The check-in in `sent` was acknowledged: what it told is the server's now.

        Args:
            wanted: Digests whose bytes the server asks for.
            more_may_follow: The server asked for as many as one ack can; bytes that it did
                not ask for are kept for the next one.

        Raises:
            JournalError: It could not be written.
        """
        with self._writing():
            row = self._run("SELECT upto, dropped FROM sent").fetchone()
            if row is None:
                return
            self._run("DELETE FROM changes WHERE id <= ?", row[0])
            self._run("UPDATE journal SET dropped = dropped - ?", row[1])
            self._run("DELETE FROM sent")
            journal_activity.settle(self._db)
            for name in wanted:
                self._run("UPDATE profiles SET wanted = 1 WHERE digest = ?", name)
            self._bound_wanted()
            if not more_may_follow:
                self._forget_profiles()

    def wanted(self) -> tuple[str, ...]:
        """Digests that the server asked for and has not got, in a fixed order."""
        with self._told():
            rows = self._run("SELECT digest FROM profiles WHERE wanted = 1 ORDER BY digest")
            return tuple(row[0] for row in rows)

    def profile(self, name: str) -> bytes | None:
        """A kept profile's canonical bytes."""
        with self._told():
            return self._one_bytes("SELECT body FROM profiles WHERE digest = ?", name)

    def delivered(self, name: str) -> None:
        """The server has these bytes, or will not take them: they need not be sent again.

        Raises:
            JournalError: It could not be written.
        """
        with self._writing():
            self._run("UPDATE profiles SET wanted = 0 WHERE digest = ?", name)
            self._forget_profiles()

    def begin_epoch(self) -> None:
        """Draws a new epoch; what was sent and not acknowledged will be told in it anew.

        Raises:
            JournalError: It could not be written.
        """
        with self._writing():
            self._draw_epoch()
            self._dropped("activity", journal_activity.tell_again(self._db))
            self._bound()

    def shed(self) -> None:
        """Lets the older half of the waiting changes go, counted, and draws a new epoch.

        For a server that will not read a check-in of this size. The epoch is new because an
        earlier sending of the same number may have arrived after all; so may its activity, all
        of which goes for that reason: it is told at most once.

        Raises:
            JournalError: It could not be written.
        """
        with self._writing():
            self._draw_epoch()
            self._dropped("activity", journal_activity.settle(self._db))
            # One of the rows is the present profile's own, which always stays.
            waiting = int(self._one("SELECT count(*) FROM changes") or 1) - 1
            self._bound(keep=waiting // 2)

    def remember(self, name: str, body: bytes, at: int) -> None:
        """Keeps the last of something (an answer, a sending) for people to look at.

        Raises:
            JournalError: It could not be written.
        """
        with self._writing():
            self._run("INSERT OR REPLACE INTO remembered VALUES (?, ?, ?)", name, body, at)

    def remembered(self, name: str) -> tuple[bytes, int] | None:
        """The last of something and when it was kept, by the agent's clock."""
        with self._told():
            row = self._run("SELECT body, at FROM remembered WHERE name = ?", name).fetchone()
        return None if row is None else (bytes(row[0]), int(row[1]))

    def forget(self) -> None:
        """Lets all go that is remembered of an enrolment, and the activity with it.

        Raises:
            JournalError: It could not be written.
        """
        with self._writing():
            self._run("DELETE FROM remembered")
            journal_activity.forget(self._db)

    def _draw_epoch(self) -> None:
        self._run("UPDATE journal SET epoch = ?, seq = 0", secrets.token_hex(8))
        self._run("DELETE FROM sent")

    def _dropped(self, what: str, count: int) -> None:
        if count:
            self._run("UPDATE journal SET dropped = dropped + ?", count)
            _log.warning("let go", what=what, count=count)

    def _bound(self, keep: int = CHANGES_MAX) -> None:
        # The present profile's own row is told as `profile`, beside the changes.
        gone = self._run(
            "DELETE FROM changes WHERE id IN (SELECT id FROM changes"
            " WHERE id > coalesce((SELECT upto FROM sent), 0) ORDER BY id DESC LIMIT -1 OFFSET ?)",
            keep + 1,
        ).rowcount
        if gone:
            self._dropped("changes", gone)
            self._forget_profiles()

    def _bound_wanted(self) -> None:
        # A server that asks and never takes must not fill the disk.
        self._run(
            "UPDATE profiles SET wanted = 0 WHERE wanted = 1 AND rowid NOT IN"
            " (SELECT rowid FROM profiles WHERE wanted = 1 ORDER BY rowid DESC LIMIT ?)",
            WANTED_KEPT_MAX,
        )

    def _forget_profiles(self) -> None:
        self._run(
            "DELETE FROM profiles WHERE wanted = 0 AND digest NOT IN"
            " (SELECT profile FROM changes UNION ALL SELECT present FROM journal)"
        )

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._db.execute(statement, values)

    def _one(self, statement: str, *values: object) -> int | str | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def _one_bytes(self, statement: str, *values: object) -> bytes | None:
        row = self._db.execute(statement, values).fetchone()
        return None if row is None else bytes(row[0])

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise journal_file.unusable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()


def open_journal(state_dir: Path) -> Journal:
    """Opens the journal of a state folder, or begins one; a damaged one is set aside.

    Raises:
        JournalError: The file cannot be opened or written.
        IdentityError: The state folder cannot be made.
    """
    return Journal(journal_file.connect(state_dir))
