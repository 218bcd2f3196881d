"""Many check-ins in one transaction: one statement for those that change nothing.

The usual check-in says what the last one said. All of these are one UPDATE that compares
every fact with the machine's row, and one question for their answers, which PostgreSQL takes
as one statement; whatever it did not touch is looked at singly, in the
same transaction (`server.store.checkins`). A fact too many in the comparison costs speed
only; one too few would be taken for unchanged. Use of builds that check-ins tell of is added
up over the batch, of those only that are new (`server.store.activity`).

Whatever is looked at singly takes a hundred times as long. On the day of a release that is
many at once, so no more of them are than a slice of time holds; the others are late.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, select, update
from sqlalchemy.exc import OperationalError

from agent.wire import Ack, Standing
from server.current import Current
from server.errors import RequestRefused
from server.store import activity
from server.store.acks import next_s
from server.store.checkins import Arrival, Taken, one
from server.store.dialect import array_of, can_ask_of_update, rows_of
from server.store.prepared import Prepared
from server.store.slices import Slice
from server.store.tables import presence, verdicts

Answer = Ack | Exception
"""An ack; or why there is none: a `RequestRefused`, or a bug of ours."""

_arrived = rows_of(
    bindparam("arrived", type_=Text), {"id": Text, "key": Text, "seq": BigInteger}, "arrived"
)
_same = (presence.c.machine_id == _arrived.c.id) & (presence.c.key == _arrived.c.key)

_update = (
    update(presence)
    .values(last_seen=bindparam("now"), seq=_arrived.c.seq)
    .where(_same, presence.c.seq < _arrived.c.seq)
)
_touched = _update.returning(presence.c.machine_id, presence.c.verdict_id).cte("touched")

_TOUCH = Prepared(_update)

# Where it can be done: a round trip less, and each row is found once.
_TOUCH_AND_ANSWER = Prepared(
    select(
        array_of(_touched.c.machine_id, verdicts.c.standing, verdicts.c.tag, verdicts.c.settling)
    ).select_from(_touched.join(verdicts, verdicts.c.id == _touched.c.verdict_id))
)

_ANSWERS = Prepared(
    select(
        array_of(_arrived.c.id, verdicts.c.standing, verdicts.c.tag, verdicts.c.settling)
    ).select_from(
        _arrived.join(presence, _same & (presence.c.seq == _arrived.c.seq)).join(
            verdicts, verdicts.c.id == presence.c.verdict_id
        )
    )
)

# Before the touch: afterwards one told again looks like one that is new.
_NEW = Prepared(
    select(array_of(_arrived.c.id, verdicts.c.group_name)).select_from(
        _arrived.join(presence, _same & (presence.c.seq < _arrived.c.seq)).join(
            verdicts, verdicts.c.id == presence.c.verdict_id
        )
    )
)

Touched = tuple[str, Standing, str, int]
"""A machine's id, its standing, its tag, and whether its verdict is not settled yet."""

Unchanged = tuple[str, str | None, int]
"""A machine's id, the key of what it said, and its seq."""

_encode = msgspec.json.Encoder().encode
_answers = msgspec.json.Decoder(list[Touched])
_groups = msgspec.json.Decoder(list[tuple[str, str]])


def take_all(  # noqa: PLR0913 - what came, what is true, and two limits
    conn: Connection,
    current: Current,
    late: Sequence[Arrival],
    arrivals: Sequence[Arrival],
    now: int,
    *,
    interval_s: int,
    turn: Slice,
) -> list[Answer | None]:
    """Takes a batch in the writer's transaction.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        late: Those for which an earlier batch had no time, in their order.
        arrivals: Those that came since; of late and new together at most one per machine.
        now: The server's clock.
        interval_s: Seconds between two check-ins of a machine, before spreading.
        turn: For how long they are looked at singly.

    Returns:
        One answer per check-in, the late ones first, to be given after the commit; None
        where there was no time for it, so that it is late.

    Raises:
        OperationalError: The database could not: nothing of the batch holds.
    """
    groups = _new(conn, arrivals)
    touched = _touch(conn, arrivals, groups, now, interval_s)
    everybody = (*late, *arrivals)
    taken = [
        touched.get(arrival.machine_id)
        or (_singly(conn, current, arrival, now, interval_s) if turn.lasts() else None)
        for arrival in everybody
    ]
    used = [
        (each.group, arrival.message.activity)
        for arrival, each in zip(everybody, taken, strict=True)
        if arrival.message.activity and isinstance(each, Taken) and each.group is not None
    ]
    if used:
        activity.add(conn, current.ledger, used, now)
    return [each.ack if isinstance(each, Taken) else each for each in taken]


def touch(conn: Connection, arrived: Sequence[Unchanged], now: int) -> Sequence[Touched]:
    """Takes those of a batch that change nothing, in the writer's transaction.

    Args:
        conn: The writer's transaction.
        arrived: Those that may.
        now: The server's clock.

    Returns:
        What to answer: to those that were taken, and to those that were told before.
    """
    values = {"arrived": _encode(arrived).decode(), "now": now}
    # One row: each further one would hand the interpreter to the event loop and wait for it.
    if not can_ask_of_update(conn):
        _TOUCH.run(conn, values)
    else:
        (found,) = _TOUCH_AND_ANSWER.run(conn, values) or ("[]",)
        answered = _answers.decode(found)
        if len(answered) == len(arrived):
            return answered
    (found,) = _ANSWERS.run(conn, values) or ("[]",)
    return _answers.decode(found)


def _new(conn: Connection, arrivals: Sequence[Arrival]) -> Mapping[str, str]:
    """The groups of machines that tell of use in a new check-in and change nothing else."""
    active = [each for each in arrivals if each.message.activity]
    if not active:
        return {}
    (found,) = _NEW.run(conn, {"arrived": _encode(_unchanged(active)).decode()}) or ("[]",)
    return dict(_groups.decode(found))


def _unchanged(arrivals: Sequence[Arrival]) -> Sequence[Unchanged]:
    """Those that may say what they said the last time."""
    return [
        (each.machine_id, each.key, each.message.seq)
        for each in arrivals
        if not (each.message.changes or each.message.paused_s)
    ]


def _touch(
    conn: Connection,
    arrivals: Sequence[Arrival],
    groups: Mapping[str, str],
    now: int,
    interval_s: int,
) -> Mapping[str, Taken]:
    return {
        machine_id: Taken(
            Ack(standing, tag, next_s(machine_id, interval_s, now, hurry=bool(settling))),
            groups.get(machine_id),
        )
        for machine_id, standing, tag, settling in touch(conn, _unchanged(arrivals), now)
    }


def _singly(
    conn: Connection, current: Current, arrival: Arrival, now: int, interval_s: int
) -> Taken | Exception:
    try:
        with conn.begin_nested():
            return one(conn, current, arrival, now, interval_s)
    except RequestRefused as refused:
        return refused
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - one laptop's trouble must not stop the others
        return error
