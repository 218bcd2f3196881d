"""Verdicts judged again: when the ledger changed, and when their time has come.

Judging a whole fleet takes seconds; the writer is never held for them. Pages of verdicts
are read and judged in the caller's thread, and only what came out differently goes to the
writer, by slices of its time. Meanwhile the next page is judged, and no further one: so neither
waits for the other, and what waits to be written stays little::

    caller   judge 1   judge 2   judge 3   judge 4
    writer             write 1   write 2   write 3

A verdict is written only if the ledger, policies and references that it was judged by still
hold, and nobody changed it meanwhile. Where they do not hold any more, its page is judged
once more, and all after it.

``next_change_at`` is a lazy timer like that of the machines: it says when to look. A head
read again every few minutes moves the time at which it is too old, but not the timers: at
its old time a verdict is judged again and gets a new one.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, select

from server.current import Current
from server.standing import begun
from server.store.engine import reading
from server.store.revisions import Revised, is_news, revise
from server.store.slices import Slices
from server.store.tables import profiles, verdicts
from server.store.verdicts import FAILED_AGAIN_S, Held, held_of, judged
from server.store.writer import Writer

READ_MAX = 256
"""Most verdicts read and judged at a time."""

WRITE_MAX = 64
"""Most verdicts written at a time: some 5 ms, after which a slice of the writer's may end."""

AHEAD = 2
"""Most pages that wait to be written, that which was judged last among them."""


@dataclass(frozen=True)
class _Row:
    """A verdict and the bytes of its profile."""

    held: Held
    body: bytes


@dataclass(frozen=True)
class _Page:
    """Verdicts judged, and asked to be written.

    Attributes:
        after: The id before the first one's.
        ids: Theirs.
        counts: How many of each part were written; None where they were judged by what no
            longer holds.
    """

    after: int
    ids: Sequence[int]
    counts: Sequence[Future[int | None]]


def judge_again(
    engine: Engine, writer: Writer, current: Current, clock: Callable[[], int], *, only_due: bool
) -> int:
    """Judges verdicts again and has the changed ones written; returns when all are.

    Args:
        engine: For reading.
        writer: For writing.
        current: What is true now; what is swapped meanwhile is used from then on.
        clock: Whole seconds since the epoch.
        only_due: Only verdicts whose time has come; else all.

    Returns:
        How many verdicts were written.

    Raises:
        StoreError: The database could not write, or the writer is closed.
    """
    slices, asked = Slices(writer), deque[_Page]()
    written, after = 0, 0
    due_at = clock() if only_due else None
    while True:
        # Taken first: what is swapped from here on makes the page be judged once more.
        now, changes = clock(), current.changes
        rows = _every(engine, after) if due_at is None else _due(engine, due_at, asked)
        if rows:
            revised = [each for row in rows if _differs(each := _judge(row, current, now), now)]
            parts = _ask(slices, current, changes, revised, clock)
            asked.append(_Page(after, [row.held.id for row in rows], parts))
            after = rows[-1].held.id
        if rows and len(asked) < AHEAD:
            continue
        if not asked:
            return written
        oldest = asked.popleft()
        counts = _done(oldest)
        if None in counts:
            after = oldest.after
            counts += [count for page in asked for count in _done(page)]
            asked.clear()
        written += sum(count or 0 for count in counts)


def _done(page: _Page) -> list[int | None]:
    return [each.result() for each in page.counts]


_ROWS = select(verdicts, profiles.c.body.label("profile")).join(
    profiles, profiles.c.id == verdicts.c.profile_id
)


def _every(engine: Engine, after: int) -> list[_Row]:
    return _read(engine, _ROWS.where(verdicts.c.id > after).order_by(verdicts.c.id))


def _due(engine: Engine, due_at: int, asked: Collection[_Page]) -> list[_Row]:
    """The longest due: by their own index, since this is asked every few seconds.

    Each is written with a later time, so that the next page is of others.
    """
    waiting = [each for page in asked for each in page.ids]
    is_due = (verdicts.c.next_change_at <= due_at) & verdicts.c.id.not_in(waiting)
    return _read(engine, _ROWS.where(is_due).order_by(verdicts.c.next_change_at))


def _read(engine: Engine, query: Select[*tuple[Any, ...]]) -> list[_Row]:
    with reading(engine) as conn:
        return [_Row(held_of(row), row.profile) for row in conn.execute(query.limit(READ_MAX))]


def _judge(row: _Row, current: Current, now: int) -> Revised:
    held = row.held
    verdict = judged(row.body, current.policy(held.group), current.ledger, now)
    if verdict is None:
        later = msgspec.structs.replace(held.verdict, next_change_at=now + FAILED_AGAIN_S)
        return Revised(held, later)
    findings = begun(held.verdict.findings, verdict.findings, now)
    changes_at = verdict.next_change_at
    look_at = None if changes_at is None else max(changes_at, now + 1)
    told = msgspec.structs.replace(verdict, findings=findings, next_change_at=look_at)
    return Revised(held, told)


def _differs(revised: Revised, now: int) -> bool:
    old, new = revised.held, revised.verdict
    if is_news(revised) or new.lookups != old.verdict.lookups:
        return True
    if old.next_change_at is None:
        return new.next_change_at is not None
    is_due = old.next_change_at <= now
    return is_due or (new.next_change_at is not None and new.next_change_at < old.next_change_at)


def _ask(
    slices: Slices,
    current: Current,
    changes: int,
    revised: Sequence[Revised],
    clock: Callable[[], int],
) -> Sequence[Future[int | None]]:
    """Asks for verdicts to be written, unless they were judged by what no longer holds."""

    def work(conn: Connection, part: Sequence[Revised]) -> int | None:
        # What is true is swapped on this thread: nothing can come between. History is
        # dated by when it was written: until then the old verdict was told.
        return revise(conn, part, clock()) if current.changes == changes else None

    return [slices.run(partial(work, part=part)) for part in _parts(revised)]


def _parts(revised: Sequence[Revised]) -> Iterator[Sequence[Revised]]:
    for start in range(0, len(revised), WRITE_MAX):
        yield revised[start : start + WRITE_MAX]
