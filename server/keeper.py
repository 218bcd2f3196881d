"""Lets go of what is old, once an hour, in slices between which everybody else has a turn.

The order is: no answer rests on what is about to go (`server.store.kept`), then it goes. A
sweep that ends early, or is cut short by a crash, is taken up by the next one.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine

from server.retention import DAY_S, Keep, plan
from server.store import kept, unused
from server.store.engine import reading
from server.store.prune import Prune
from server.store.pruning import PRUNES
from server.store.writer import Writer

T = TypeVar("T")

SWEPT_EVERY_S = 3_600
"""Seconds between two sweeps."""

SLICES_MAX = 2_000
"""Most slices of one kind in one sweep: a million rows an hour."""

WINDOWS_MAX = 40
"""Most windows of profiles in one sweep: it is walked round and round, 20,000 an hour."""

_PROFILES = "profiles"
_LOOKUPS = "look-ups"

_log = structlog.stdlib.get_logger("server.keeper")


class Keeper:
    """Sweeps.

    Args:
        engine: For reading.
        writer: For deleting.
        clock: The server's clock, in whole seconds since the epoch.
        keep: For how long each kind is kept.
    """

    def __init__(
        self, engine: Engine, writer: Writer, clock: Callable[[], int], keep: Keep
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._keep = keep

    def sweep(self) -> Mapping[str, int]:
        """Lets go of what is older than its horizon now.

        Returns:
            How many rows went, by table.

        Raises:
            StoreError: The database could not, or the writer is closed.
        """
        now = self._clock()
        horizons = plan(self._keep, now)
        for kind, before in horizons.items():
            self._write(partial(kept.move, kind=kind, since=before))
        went: Counter[str] = Counter()
        # First what refers to others.
        if "left machines" in horizons:
            went["machines"] += self._forget(horizons["left machines"], now)
        for prune in PRUNES:
            if prune.kind in horizons:
                went[prune.table.name] += self._prune(prune, horizons[prune.kind])
        if "profiles" in horizons:
            went["profiles"] += self._let_profiles_go(horizons["profiles"])
        if "look-ups" in horizons:
            went["lookups"] += self._let_lookups_go(horizons["look-ups"], now)
        gone = {table: number for table, number in went.items() if number}
        if gone:
            _log.info("let go", rows=gone)
        return gone

    def _prune(self, prune: Prune, before: int) -> int:
        number = slices = 0
        while slices < SLICES_MAX:
            found = self._read(lambda conn: prune.find(conn, before))
            for work in prune.slices(found):
                number += self._write(work)
                slices += 1
            if found.is_last:
                break
        return number

    def _forget(self, before: int, now: int) -> int:
        number = 0
        for _ in range(SLICES_MAX):
            # One at a time: with it goes all that it ever had.
            found = self._read(lambda conn: unused.left_machines(conn, before, 1))
            if not found:
                break
            number += self._write(partial(unused.forget, ids=found, now=now))
        return number

    def _let_profiles_go(self, before: int) -> int:
        number, after = 0, self._read(lambda conn: kept.reached(conn, _PROFILES))
        for _ in range(WINDOWS_MAX):
            window = self._read(partial(unused.unused_profiles, before=before, after=after))
            rest = iter(window.unused)
            while ids := list(islice(rest, unused.SLICE)):
                number += self._write(partial(unused.delete_profiles, ids=ids, before=before))
            after = window.last or 0
            if window.last is None:
                break
        self._write(lambda conn: kept.reach(conn, _PROFILES, after))
        return number

    def _let_lookups_go(self, before: int, now: int) -> int:
        """Once a day: every profile is read for it."""
        if now - self._read(lambda conn: kept.reached(conn, _LOOKUPS)) < DAY_S:
            return 0
        found = self._read(lambda conn: unused.unnamed(conn, before))
        number, rest = 0, iter(sorted(found.versions))
        while versions := tuple(islice(rest, unused.SLICE)):
            some = unused.Unnamed(versions, found.last)
            number += self._write(partial(unused.delete_lookups, found=some, before=before))
        self._write(lambda conn: kept.reach(conn, _LOOKUPS, now))
        return number

    def _read(self, query: Callable[[Connection], T]) -> T:
        with reading(self._engine) as conn:
            return query(conn)

    def _write(self, work: Callable[[Connection], T]) -> T:
        # Waited for: whatever else was asked meanwhile has its turn before the next slice.
        return self._writer.run(work).result()
