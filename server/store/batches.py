"""Many check-ins in one transaction: one statement for those that change nothing.

The usual check-in says what the last one said. All of these are one UPDATE that compares
every fact with the machine's row; whatever it did not touch is looked at singly, in the
same transaction (`server.store.checkins`). A fact too many in the comparison costs speed
only; one too few would be taken for unchanged.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, select, tuple_, update
from sqlalchemy.exc import OperationalError

from agent.wire import Ack, Standing
from server.current import Current
from server.errors import RequestRefused
from server.store.acks import next_s
from server.store.checkins import Arrival, one
from server.store.dialect import rows_of
from server.store.tables import machines, verdicts

Answer = Ack | Exception
"""An ack; or why there is none: a `RequestRefused`, or a bug of ours."""

_COLUMNS = {
    "id": Text,
    "token_hash": Text,
    "epoch": Text,
    "seq": BigInteger,
    "profile": Text,
    "agent": Text,
}
_arrived = rows_of(bindparam("arrived", type_=Text), _COLUMNS, "arrived")

_TOUCH = (
    update(machines)
    .values(last_seen=bindparam("now"), seq=_arrived.c.seq)
    .where(
        machines.c.id == _arrived.c.id,
        machines.c.token_hash == _arrived.c.token_hash,
        machines.c.epoch == _arrived.c.epoch,
        machines.c.seq < _arrived.c.seq,
        machines.c.claimed == _arrived.c.profile,
        machines.c.agent == _arrived.c.agent,
        machines.c.settled == 1,
        machines.c.exception.is_(None),
        machines.c.left_at.is_(None),
    )
    .returning(machines.c.id, machines.c.profile_id, machines.c.group_name)
)

_VERDICTS = select(
    verdicts.c.profile_id,
    verdicts.c.group_name,
    verdicts.c.standing,
    verdicts.c.tag,
    verdicts.c.settling,
).where(
    tuple_(verdicts.c.profile_id, verdicts.c.group_name).in_(bindparam("pairs", expanding=True))
)

_Pair = tuple[int, str]


def take_all(
    conn: Connection, current: Current, arrivals: Sequence[Arrival], now: int, interval_s: int
) -> list[Answer]:
    """Takes a batch in the writer's transaction.

    Args:
        conn: The writer's transaction.
        current: What is true now.
        arrivals: At most one per machine.
        now: The server's clock.
        interval_s: Seconds between two check-ins of a machine, before spreading.

    Returns:
        One answer per arrival, in their order, to be given after the commit.

    Raises:
        OperationalError: The database could not: nothing of the batch holds.
    """
    touched = _touch(conn, arrivals, now, interval_s)
    return [
        touched.get(arrival.machine_id) or _singly(conn, current, arrival, now, interval_s)
        for arrival in arrivals
    ]


def _touch(
    conn: Connection, arrivals: Sequence[Arrival], now: int, interval_s: int
) -> Mapping[str, Ack]:
    arrived = [
        (
            each.machine_id,
            each.token_hash,
            each.message.epoch,
            each.message.seq,
            each.message.profile,
            each.message.agent,
        )
        for each in arrivals
        if not each.message.changes
    ]
    rows = conn.execute(
        _TOUCH, {"arrived": msgspec.json.encode(arrived).decode(), "now": now}
    ).all()
    if not rows:
        return {}
    pairs = {(profile_id, group) for _, profile_id, group in rows}
    held: dict[_Pair, tuple[Standing, str, bool]] = {
        (row[0], row[1]): (row[2], row[3], bool(row[4]))
        for row in conn.execute(_VERDICTS, {"pairs": list(pairs)})
    }
    acks = {}
    for machine_id, profile_id, group in rows:
        standing, tag, settling = held[profile_id, group]
        acks[machine_id] = Ack(standing, tag, next_s(machine_id, interval_s, now, hurry=settling))
    return acks


def _singly(
    conn: Connection, current: Current, arrival: Arrival, now: int, interval_s: int
) -> Answer:
    try:
        with conn.begin_nested():
            return one(conn, current, arrival, now, interval_s)
    except RequestRefused as refused:
        return refused
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - one laptop's trouble must not stop the others
        return error
