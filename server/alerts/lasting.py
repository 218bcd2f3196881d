"""Which `unknown` still holds when its message is due: an hour later most have mended.

A machine is looked at as it stands now. A fleet message is counted anew: its verdicts are
found again in ``transitions``, whose rows are written in the same transaction as the
message's, and those that still say `unknown` remain in it.

While a release source is out of reach, or shows what was not signed, nobody is told of bytes
that cannot be looked up: that is the operator's one incident. Such messages wait until the
source answers again as it should.
"""

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, select

from server.alerts import bodies
from server.alerts.bodies import LABELS_MAX, Changed
from server.alerts.rows import Row
from server.store import conditions, public
from server.store import outbox as store
from server.store.dialect import total
from server.store.tables import machines, transitions, verdicts

LOOKED_AT_MAX = 1_000
"""Most rows looked at in one transaction; the rest follow in the next ones."""

POSTPONED_S = 600
"""When to look again during an outage, in seconds: after it, look-ups take some five minutes."""

_OVERTAKEN = "no longer unknown"
_BY_LOOK_UP = "build-unverified"


def drop_overtaken(conn: Connection, now: int) -> None:
    """Drops due `unknown` messages that no longer hold; lessens those that hold in part.

    Those that an outage of a source may explain are put off.
    """
    is_outage = _is_outage(conn)
    for row in store.due_unknown(conn, now, LOOKED_AT_MAX):
        body = bodies.decode_changed(row.body)
        still = _still(conn, row, body)
        if still is None:
            store.drop(conn, row, _OVERTAKEN, now)
        elif is_outage and body.cause == _BY_LOOK_UP:
            store.postpone(conn, row, now + POSTPONED_S)
        elif still != body:
            store.amend(conn, row, bodies.encode(still))


def _is_outage(conn: Connection) -> bool:
    # One that never answered is seen to when the server is set up, and explains nothing.
    if any(item.state != "ok" and item.read_at is not None for item in public.health(conn)):
        return True
    return any(each.kind == "forged" for each in conditions.load(conn))


def _still(conn: Connection, row: Row, body: Changed) -> Changed | None:
    if body.kind == "fleet":
        return _fleet(conn, body)
    return body if _machine_is_unknown(conn, row.topic.removeprefix("machine ")) else None


def _machine_is_unknown(conn: Connection, machine_id: str) -> bool:
    standing = func.coalesce(machines.c.exception, verdicts.c.standing)
    query = select(standing).join_from(machines, verdicts, _SAME).where(machines.c.id == machine_id)
    return conn.execute(query).scalar_one_or_none() == "unknown"


def _fleet(conn: Connection, body: Changed) -> Changed | None:
    holds = _still_unknown(body)
    count = select(func.count(), total(verdicts.c.machines)).where(holds)
    profiles, concerned = conn.execute(count).one()
    if not concerned:
        return None
    labels = (
        select(machines.c.label)
        .join_from(machines, verdicts, _SAME)
        .where(holds, machines.c.exception.is_(None), machines.c.left_at.is_(None))
        .order_by(machines.c.id)
        .limit(LABELS_MAX)
    )
    return msgspec.structs.replace(
        body,
        machines=concerned,
        profiles=profiles,
        labels=tuple(conn.execute(labels).scalars()),
    )


def _still_unknown(body: Changed) -> ColumnElement[bool]:
    # The fleet's rows have no machine: that finds them by the index on (machine, time).
    told = select(transitions.c.profile_id).where(
        transitions.c.machine_id.is_(None),
        transitions.c.at.between(body.at, body.last_at),
        transitions.c.kind == "fleet",
        transitions.c.group_name == body.group,
        transitions.c.cause == body.cause,
        transitions.c.after == "unknown",
    )
    return and_(
        verdicts.c.profile_id.in_(told),
        verdicts.c.group_name == body.group,
        verdicts.c.standing == "unknown",
        # One that mended and is unknown again is told by its later row.
        verdicts.c.since <= body.last_at,
    )


_SAME = and_(
    machines.c.profile_id == verdicts.c.profile_id,
    machines.c.group_name == verdicts.c.group_name,
)
