"""Keeps what is true now up with the database, whichever server on it changed that.

Transactions of the writer begin with `Following.keep_up`: one short read in them, and if
something else holds now, that is loaded before the work. So no verdict is written by what no
longer holds, and what was changed takes effect with the commit that changed it. A server that
has nothing to write looks each second.

Where this version of the server does not take the policies that a newer one recorded, it
writes nothing: laptops are told to come again, and find a server that does. Two things it writes
all the same, without following: that it leads, once no other server does, and then its own
policy file, by which it goes on.
"""

from sqlalchemy import Connection, Engine

from server.current import Current
from server.errors import StoreError
from server.releases.news import is_news
from server.store import policies, public, references, restores, uptime
from server.store.engine import reading
from server.store.following import Numbers, looked_at, numbers
from server.store.writer import Writer
from server.worker import Mark


class Following:
    """Looks after all of `Current` that another server may change.

    Args:
        current: What is true now, loaded at some time before.
        news: Set when verdicts could depend on what changed.
    """

    def __init__(self, current: Current, news: Mark) -> None:
        self._current = current
        self._news = news
        self._seen = Numbers()

    def keep_up(self, conn: Connection) -> None:
        """Loads what changed, in a transaction of the writer, before its work.

        Raises:
            StoreError: This version does not take the policies in force.
        """
        now = numbers(conn)
        if now != self._seen:
            self._load(conn, self._seen, now)
            self._seen = now

    def look(self, engine: Engine, writer: Writer) -> None:
        """Has loaded what changed since, also where nobody writes.

        Args:
            engine: For reading.
            writer: Whose transactions begin with `keep_up`.

        Raises:
            StoreError: As `keep_up`, or the database could not.
        """
        with reading(engine) as conn:
            is_same = looked_at(conn) == self._seen
        if not is_same:
            writer.run(_nothing).result()

    def _load(self, conn: Connection, old: Numbers, now: Numbers) -> None:
        if now.policies != old.policies:
            self._load_policies(conn)
        if now.ledger != old.ledger:
            ledger = public.load_ledger(conn)
            is_other, self._current.ledger = is_news(self._current.ledger, ledger), ledger
            if is_other:
                self._news.set()
        if now.references != old.references:
            shown = references.load(conn)
            if shown != self._current.references:
                self._current.references = shown
                self._news.set()
        if now.listened != old.listened:
            self._current.listened = uptime.load(conn)
        if now.restores != old.restores:
            self._current.restored_at = restores.restored_at(conn)

    def _load_policies(self, conn: Connection) -> None:
        try:
            stated = policies.followed(conn)
        except StoreError:
            # What others judge by it is to be judged again, once it is in force no more.
            self._news.set()
            raise
        if stated != self._current.policies:
            self._current.policies = stated
            self._news.set()


def _nothing(_conn: Connection) -> None:
    """All that is to be done is done before it."""
