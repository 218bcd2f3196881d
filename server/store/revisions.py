"""Changed verdicts written: with counts, history, transitions and messages.

All statements are per slice, not per verdict, apart from finding a few machines' names. No
machine's row is written, apart from the timers of exceptions: those do not simply follow
their verdict, and are stood anew by themselves (`server.store.fleet.stand_due`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, insert, select, tuple_, update

from agent.wire import Standing
from server.alerts import outbox
from server.judge import Verdict
from server.store import public
from server.store.counts import count
from server.store.tables import machines, verdict_log, verdicts
from server.store.transitions import record
from server.store.verdicts import Held, held_of, write_verdict
from server.transitions import Transition, cause, told_as

LABELS_MAX = 5
"""Most machines named for the changes of one cause."""


@dataclass(frozen=True)
class Revised:
    """A verdict judged again.

    Attributes:
        held: As it was read.
        verdict: As it was judged now.
    """

    held: Held
    verdict: Verdict


def is_news(revised: Revised) -> bool:
    """Whether what holds for its machines differs from what was told of them. Pure."""
    old, new = revised.held, revised.verdict
    return (new.tag, new.counted) != (old.tag, old.verdict.counted)


_WRITE = (
    update(verdicts)
    .where(
        verdicts.c.profile_id == bindparam("of_profile"),
        verdicts.c.group_name == bindparam("of_group"),
    )
    .values(
        standing=bindparam("new_standing"),
        since=bindparam("new_since"),
        told=bindparam("new_told"),
        tag=bindparam("new_tag"),
        body=bindparam("new_body"),
        settling=bindparam("new_settling"),
        judged_at=bindparam("now"),
        next_change_at=bindparam("new_next_change_at"),
    )
)


def revise(conn: Connection, revised: Sequence[Revised], now: int) -> int:
    """Writes a slice of verdicts in the writer's transaction.

    A verdict that somebody changed since it was read stays as it is.

    Returns:
        How many were written.
    """
    fresh = _fresh(conn, [each.held for each in revised])
    pairs = [
        (held, each.verdict)
        for each in revised
        if (held := fresh.get(_key(each.held))) is not None and held.tag == each.held.tag
    ]
    changes = {
        _key(held): _transition(held, verdict, now)
        for held, verdict in pairs
        if held.standing != verdict.standing
    }
    _write(conn, pairs, changes, now)
    _ring(conn, [_key(held) for held, item in pairs if is_news(Revised(held, item))], now)
    _count(conn, changes.values(), now)
    _tell(conn, [each for each in changes.values() if each.machines])
    # What no machine has any more is not worth asking the world about.
    lookups = frozenset[str]().union(*(item.lookups for held, item in pairs if held.machines))
    if lookups:
        public.ask(conn, lookups, now)
    return len(pairs)


_Key = tuple[int, str]


def _key(held: Held) -> _Key:
    return held.profile_id, held.group


def _fresh(conn: Connection, helds: Iterable[Held]) -> Mapping[_Key, Held]:
    keys = tuple_(verdicts.c.profile_id, verdicts.c.group_name)
    rows = conn.execute(select(verdicts).where(keys.in_([_key(each) for each in helds])))
    return {_key(held): held for held in map(held_of, rows)}


def _transition(held: Held, verdict: Verdict, now: int) -> Transition:
    return Transition(
        kind="fleet",
        at=now,
        group=held.group,
        profile_id=held.profile_id,
        before=held.standing,
        after=verdict.standing,
        told=held.told,
        cause=cause(held.verdict.findings, verdict.findings),
        machines=held.machines,
        labels=(),
        findings=verdict.findings,
    )


def _write(
    conn: Connection,
    pairs: Sequence[tuple[Held, Verdict]],
    changes: Mapping[_Key, Transition],
    now: int,
) -> None:
    bodies = [write_verdict(verdict) for _, verdict in pairs]
    rows = [
        {
            "of_profile": held.profile_id,
            "of_group": held.group,
            "new_standing": verdict.standing,
            "new_since": now if _key(held) in changes else held.since,
            "new_told": _told(held, changes.get(_key(held))),
            "new_tag": verdict.tag,
            "new_body": body,
            "new_settling": int(bool(verdict.lookups)),
            "now": now,
            "new_next_change_at": verdict.next_change_at,
        }
        for (held, verdict), body in zip(pairs, bodies, strict=True)
    ]
    history = [
        {
            "profile_id": held.profile_id,
            "group_name": held.group,
            "at": now,
            "standing": verdict.standing,
            "body": body,
        }
        for (held, verdict), body in zip(pairs, bodies, strict=True)
        if held.tag != verdict.tag
    ]
    if rows:
        conn.execute(_WRITE, rows)
    if history:
        conn.execute(insert(verdict_log), history)


def _ring(conn: Connection, keys: Sequence[_Key], now: int) -> None:
    """Has the exceptions looked at that have one of these pairs; who left stays as it was."""
    if not keys:
        return
    theirs = tuple_(machines.c.profile_id, machines.c.group_name).in_(keys)
    is_exception = machines.c.exception.is_not(None) & machines.c.left_at.is_(None)
    conn.execute(update(machines).where(theirs, is_exception).values(due_at=now))


def _told(held: Held, change: Transition | None) -> str | None:
    # Also where no machine has it now: each one that takes it later is told by itself.
    told = told_as(change) if change else None
    return told if told in {"drifted", "healed"} else held.told


def _count(conn: Connection, changes: Iterable[Transition], now: int) -> None:
    sums: Counter[tuple[str, Standing]] = Counter()
    for change in changes:
        if change.before is not None:
            sums[change.group, change.before] -= change.machines
        sums[change.group, change.after] += change.machines
    for (group, standing), number in sorted(sums.items()):
        count(conn, group, standing, number, now)


def _tell(conn: Connection, changes: Sequence[Transition]) -> None:
    record(conn, changes)
    named: Counter[tuple[str, str, str]] = Counter()
    told = []
    for change in changes:
        apart = _heard_otherwise(conn, change)
        told += [each for each in apart if told_as(each)]
        left = change.machines - sum(each.machines for each in apart)
        word = told_as(change)
        if word is None or not left:
            continue
        shown = (change.group, word, change.cause)
        labels = _labels(conn, change, LABELS_MAX - named[shown])
        named[shown] += len(labels)
        told.append(replace(change, machines=left, labels=labels))
    outbox.tell_all(conn, told)


def _heard_otherwise(conn: Connection, change: Transition) -> list[Transition]:
    """The parts of a change that are about machines of which people heard something else.

    They came to this pair while its verdict was unknown; now that it is something, they are
    remembered for nothing more.
    """
    if change.before != "unknown":
        return []
    theirs = (
        (machines.c.profile_id == change.profile_id)
        & (machines.c.group_name == change.group)
        & machines.c.told.is_not(None)
        & machines.c.exception.is_(None)
    )
    rows = conn.execute(
        select(machines.c.told, machines.c.label).where(theirs).order_by(machines.c.id)
    ).all()
    if not rows:
        return []
    conn.execute(update(machines).where(theirs).values(told=None))
    drifted = tuple(row.label for row in rows if row.told == "drifted")
    well = tuple(row.label for row in rows if row.told != "drifted")
    return [
        replace(part, machines=len(named), labels=named[:LABELS_MAX])
        for part, named in (
            (replace(change, before="drift"), drifted),
            (replace(change, told=None), well),
        )
        if named
    ]


def _labels(conn: Connection, change: Transition, number: int) -> tuple[str, ...]:
    if number <= 0:
        return ()
    query = (
        select(machines.c.label)
        .where(
            machines.c.profile_id == change.profile_id,
            machines.c.group_name == change.group,
            machines.c.exception.is_(None),
        )
        .order_by(machines.c.id)
        .limit(number)
    )
    return tuple(conn.execute(query).scalars())
