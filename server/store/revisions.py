"""Changed verdicts written: with counts, history, transitions and messages.

All statements are per slice, not per verdict, apart from finding a few machines' names. No
machine's row is written, apart from the timers of exceptions: those do not simply follow
their verdict, and are stood anew by themselves (`server.store.fleet.stand_due`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Text,
    bindparam,
    insert,
    select,
    update,
)

from agent.wire import Standing
from server.alerts import outbox
from server.judge import Verdict
from server.store import public
from server.store.counts import count
from server.store.dialect import array_of, bytes_of, rows_of
from server.store.prepared import Prepared
from server.store.tables import machines, verdict_log, verdicts
from server.store.transitions import record
from server.store.verdicts import Held, write_verdict
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


_asked = rows_of(bindparam("asked", type_=Text), {"id": BigInteger}, "asked")

# Nobody but `revise` writes anything else of a verdict than these.
_NOW = Prepared(
    select(array_of(verdicts.c.id, verdicts.c.tag, verdicts.c.machines)).select_from(
        _asked.join(verdicts, verdicts.c.id == _asked.c.id)
    )
)

# One parameter for all rows: of many, each by itself, a driver makes more work than a judge.
_revised = rows_of(
    bindparam("revised", type_=Text),
    {
        "id": BigInteger,
        "profile_id": BigInteger,
        "group_name": Text,
        "standing": Text,
        "since": BigInteger,
        "told": Text,
        "tag": Text,
        "body": Text,
        "settling": Integer,
        "next_change_at": BigInteger,
        "is_other": Integer,
    },
    "revised",
)
_body = bytes_of(_revised.c.body)

_WRITE = Prepared(
    update(verdicts)
    .where(verdicts.c.id == _revised.c.id)
    .values(
        standing=_revised.c.standing,
        since=_revised.c.since,
        told=_revised.c.told,
        tag=_revised.c.tag,
        body=_body,
        settling=_revised.c.settling,
        judged_at=bindparam("now"),
        next_change_at=_revised.c.next_change_at,
    )
)

_LOG = Prepared(
    insert(verdict_log)
    .inline()
    .from_select(
        ["profile_id", "group_name", "at", "standing", "body"],
        select(
            _revised.c.profile_id,
            _revised.c.group_name,
            bindparam("now", type_=BigInteger),
            _revised.c.standing,
            _body,
        ).where(_revised.c.is_other == 1),
    )
)

_news = rows_of(
    bindparam("news", type_=Text), {"profile_id": BigInteger, "group_name": Text}, "news"
)
_theirs = (machines.c.profile_id == _news.c.profile_id) & (
    machines.c.group_name == _news.c.group_name
)

_RING = Prepared(
    update(machines)
    .values(due_at=bindparam("now"))
    .where(_theirs, machines.c.exception.is_not(None), machines.c.left_at.is_(None))
)

_encode = msgspec.json.Encoder().encode
_kept = msgspec.json.Decoder(list[tuple[int, str, int]])


def revise(conn: Connection, revised: Sequence[Revised], now: int) -> int:
    """Writes a slice of verdicts in the writer's transaction.

    A verdict that somebody changed since it was read stays as it is.

    Returns:
        How many were written.
    """
    new = [
        _New(held, each.verdict, each.verdict.standing, is_news(each))
        for each, held in zip(revised, _fresh(conn, revised), strict=True)
        if held is not None
    ]
    changes = {
        each.held.id: _transition(each, now) for each in new if each.held.standing != each.standing
    }
    _write(conn, new, changes, now)
    _ring(conn, [(each.held.profile_id, each.held.group) for each in new if each.is_news], now)
    _count(conn, changes.values(), now)
    _tell(conn, [each for each in changes.values() if each.machines])
    # What no machine has any more is not worth asking the world about.
    lookups = frozenset[str]().union(*(each.verdict.lookups for each in new if each.held.machines))
    if lookups:
        public.ask(conn, lookups, now)
    return len(new)


@dataclass(frozen=True, slots=True)
class _New:
    """A verdict to be written.

    Attributes:
        held: As it is kept now.
        verdict: As it was judged.
        standing: The judged one's word.
        is_news: As the function says.
    """

    held: Held
    verdict: Verdict
    standing: Standing
    is_news: bool


def _fresh(conn: Connection, revised: Sequence[Revised]) -> Iterator[Held | None]:
    """Each verdict as it is now; None where it changed, or is no more."""
    asked = _encode([(each.held.id,) for each in revised]).decode()
    (found,) = _NOW.run(conn, {"asked": asked}) or ("[]",)
    kept = {number: (tag, had_by) for number, tag, had_by in _kept.decode(found)}
    for held in (each.held for each in revised):
        tag, had_by = kept.get(held.id, (None, 0))
        yield replace(held, machines=had_by) if tag == held.tag else None


def _transition(new: _New, now: int) -> Transition:
    held, verdict = new.held, new.verdict
    return Transition(
        kind="fleet",
        at=now,
        group=held.group,
        profile_id=held.profile_id,
        before=held.standing,
        after=new.standing,
        told=held.told,
        cause=cause(held.verdict.findings, verdict.findings),
        machines=held.machines,
        labels=(),
        findings=verdict.findings,
    )


def _write(
    conn: Connection, new: Sequence[_New], changes: Mapping[int, Transition], now: int
) -> None:
    rows = [
        (
            held.id,
            held.profile_id,
            held.group,
            each.standing,
            now if held.id in changes else held.since,
            _told(held, changes.get(held.id)),
            each.verdict.tag,
            write_verdict(each.verdict).decode(),
            int(bool(each.verdict.lookups)),
            each.verdict.next_change_at,
            int(held.tag != each.verdict.tag),
        )
        for each in new
        for held in (each.held,)
    ]
    values = {"revised": _encode(rows).decode(), "now": now}
    _WRITE.run(conn, values)
    _LOG.run(conn, values)


def _ring(conn: Connection, pairs: Sequence[tuple[int, str]], now: int) -> None:
    """Has the exceptions looked at that have one of these pairs; who left stays as it was."""
    if pairs:
        _RING.run(conn, {"news": _encode(pairs).decode(), "now": now})


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
