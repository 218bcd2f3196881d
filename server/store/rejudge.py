"""Verdicts judged again: when the ledger changed, and when their time has come.

Judging a whole fleet takes seconds; the writer is never held for them. Slices of verdicts
are read, judged in the caller's thread, and only what came out differently goes to the
writer, again in slices. A slice is written only if the ledger, policies and references that
it was judged by still hold, and a verdict only if nobody changed it meanwhile.

``next_change_at`` is a lazy timer like that of the machines: it says when to look. A head
read again every few minutes moves the time at which it is too old, but not the timers: at
its old time a verdict is judged again and gets a new one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, select, tuple_

from server.current import Current
from server.standing import begun
from server.store.engine import reading
from server.store.revisions import Revised, is_news, revise
from server.store.tables import profiles, verdicts
from server.store.verdicts import FAILED_AGAIN_S, Held, held_of, judged
from server.store.writer import Writer

READ_MAX = 256
"""Most verdicts read and judged at a time."""

WRITE_MAX = 64
"""Most verdicts written in one transaction: some 10 ms."""


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
    written, after = 0, (0, "")
    due_at = clock() if only_due else None
    while True:
        # Taken first: what is swapped from here on makes the slice be judged once more.
        now, changes = clock(), current.changes
        page = _every(engine, after) if due_at is None else _due(engine, due_at)
        if not page:
            return written
        revised = [each for row in page if _differs(each := _judge(row, current, now), now)]
        counted = _write(writer, current, changes, revised, clock)
        if counted is None:
            continue
        written += counted
        after = page[-1].held.profile_id, page[-1].held.group


_ROWS = select(verdicts, profiles.c.body.label("profile")).join(
    profiles, profiles.c.id == verdicts.c.profile_id
)


@dataclass(frozen=True)
class _Row:
    """A verdict and the bytes of its profile."""

    held: Held
    body: bytes


def _every(engine: Engine, after: tuple[int, str]) -> list[_Row]:
    key = tuple_(verdicts.c.profile_id, verdicts.c.group_name)
    return _read(
        engine, _ROWS.where(key > after).order_by(verdicts.c.profile_id, verdicts.c.group_name)
    )


def _due(engine: Engine, due_at: int) -> list[_Row]:
    """The longest due: by their own index, since this is asked every few seconds.

    Each is written with a later time, so that the next page is of others.
    """
    is_due = verdicts.c.next_change_at <= due_at
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


def _write(
    writer: Writer,
    current: Current,
    changes: int,
    revised: Sequence[Revised],
    clock: Callable[[], int],
) -> int | None:
    """Writes verdicts in slices; None as soon as they were judged by what no longer holds."""
    written = 0
    for part in _slices(revised):

        def work(conn: Connection, part: Sequence[Revised] = part) -> int | None:
            # What is true is swapped on this thread: nothing can come between. History is
            # dated by when it was written: until then the old verdict was told.
            return revise(conn, part, clock()) if current.changes == changes else None

        counted = writer.run(work).result()
        if counted is None:
            return None
        written += counted
    return written


def _slices(revised: Sequence[Revised]) -> Iterator[Sequence[Revised]]:
    for start in range(0, len(revised), WRITE_MAX):
        yield revised[start : start + WRITE_MAX]
