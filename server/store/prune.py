"""One kind of rows that get old: they are found by reading, then deleted a slice at a time.

Each slice is a transaction of its own, so that everybody else has a turn in between.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Table, delete, tuple_

from server.retention import Kind
from server.store import kept

ROWS_MAX = 500
"""Most rows that one slice deletes: far less than 50 ms of the writer's time."""

Key = tuple[object, ...]


@dataclass(frozen=True)
class Found:
    """Rows that are over.

    Attributes:
        keys: Their primary keys.
        reached: How far has been walked with them; None where that is not kept.
        is_last: There is nothing more to find now.
    """

    keys: Sequence[Key]
    reached: int | None = None
    is_last: bool = True


@dataclass(frozen=True)
class Prune:
    """One kind of rows that get old.

    Attributes:
        kind: Whose horizon it has.
        table: Where they are.
        find: Finds the next of them, given the horizon.
    """

    kind: Kind
    table: Table
    find: Callable[[Connection, int], Found]

    def slices(self, found: Found) -> Iterator[Callable[[Connection], int]]:
        """The work of deleting what was found: each a transaction of its own.

        Each returns how many rows it deleted. Only after the last is the way behind walked.
        """
        for start in range(0, len(found.keys), ROWS_MAX):
            yield partial(self._delete, found.keys[start : start + ROWS_MAX])
        if found.reached is not None:
            yield partial(self._reach, found.reached)

    def _delete(self, keys: Sequence[Key], conn: Connection) -> int:
        columns = tuple_(*self.table.primary_key.columns)
        return conn.execute(delete(self.table).where(columns.in_(keys))).rowcount

    def _reach(self, reached: int, conn: Connection) -> int:
        kept.reach(conn, walk(self.kind, self.table), reached)
        return 0


def walk(kind: Kind, table: Table) -> str:
    """What the way through a table is kept under, in `server.store.kept`."""
    return f"{kind}: {table.name}"
